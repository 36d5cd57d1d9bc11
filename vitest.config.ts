import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What the Worker logs is shown only where a test fails.
    silent: 'passed-only',
    projects: [
      {
        // Inside workerd, with the bindings of wrangler.toml.
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'worker', include: ['test/src/**/*.test.ts'] },
      },
      {
        // In Node: real processes, a real `wrangler dev`, a real browser.
        test: {
          name: 'node',
          include: ['test/{convert,scripts,e2e}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

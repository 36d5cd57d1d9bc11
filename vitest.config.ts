import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What the Worker logs is shown only where a test fails.
    silent: 'passed-only',
    projects: [
      {
        // Inside workerd, with the bindings of wrangler.toml.
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: { FUZZ_FILES: Number(process.env.FUZZ_FILES ?? 2_000) } },
          }),
        ],
        test: { name: 'worker', include: ['test/src/**/*.test.ts'], testTimeout: 30_000 },
      },
      {
        // In Node: real processes, a real `wrangler dev`, a real browser.
        test: {
          name: 'node',
          include: ['test/{bench,deploy,registry,scripts,docs,e2e}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

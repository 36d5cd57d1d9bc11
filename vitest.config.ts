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
          include: ['test/{bench,deploy,registry,scripts,docs,e2e}/**/*.test.ts', 'test/soak/short.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // `npm run test:soak`: minutes of load and faults, one file at a time. `npm test` leaves it out.
        test: {
          name: 'soak',
          include: ['test/soak/*.test.ts'],
          exclude: ['test/soak/short.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 3_600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

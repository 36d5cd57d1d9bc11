import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Tests that measure the isolate's memory or need an empty bucket. */
const OWN_ISOLATE = [
  'test/src/{fuzz,memory,new-format}.test.ts',
  'test/src/image/{budget,memory}.test.ts',
  'test/src/model/host.test.ts',
];

/** Tests inside workerd, with the bindings of wrangler.toml. */
const insideWorkerd = (test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: { bindings: { FUZZ_FILES: Number(process.env.FUZZ_FILES ?? 2_000) } },
    }),
  ],
  test: { testTimeout: 30_000, ...test },
});

/** Tests in Node. They start processes, `wrangler dev` and Chromium, and may have to share two cores. */
const insideNode = (test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration => ({
  test: { testTimeout: 60_000, hookTimeout: 120_000, ...test },
});

export default defineConfig({
  test: {
    // Show the log of the Worker only for tests that fail.
    silent: 'passed-only',
    maxWorkers: 2,
    projects: [
      insideWorkerd({
        name: 'worker',
        include: ['test/src/**/*.test.ts'],
        exclude: OWN_ISOLATE,
        // Loading the Worker takes longer than most of these tests, so they share an isolate.
        isolate: false,
      }),
      insideWorkerd({ name: 'worker-isolated', include: OWN_ISOLATE }),
      insideNode({
        name: 'node',
        include: ['test/{deploy,formats,registry,scripts,docs,watch}/**/*.test.ts', 'test/soak/short.test.ts'],
      }),
      insideNode({
        name: 'e2e',
        include: ['test/e2e/**/*.test.ts'],
        globalSetup: './test/e2e/shared-service.ts',
        isolate: false,
      }),
      // `npm run test:soak`: minutes of load and faults, one file at a time.
      insideNode({
        name: 'soak',
        include: ['test/soak/*.test.ts'],
        exclude: ['test/soak/short.test.ts'],
        fileParallelism: false,
        sequence: { groupOrder: 1 },
        testTimeout: 3_600_000,
        hookTimeout: 300_000,
      }),
    ],
  },
});

/**
 * `npm test`: checks types and style, then runs all tests: inside workerd, in Node, end to end with `wrangler dev` and
 * three browsers, and in Python with Keras and tf2onnx. Steps of different lanes run at the same time. Each prints one
 * line, and its output if it fails.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { findChromium } from './chromium.ts';
import { findFirefox, findWebKit } from './other-browsers.ts';

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Step {
  readonly name: string;
  /** Outside CI, the tests that need this step's browser are skipped if it fails. */
  readonly isOptional?: boolean;
  /** @param report the file for the test report */
  run(report: string): Promise<Outcome>;
  /** Counts the tests of a report. */
  count?(report: string): Counts;
}

const env = {
  // Programs start faster with their compiled code, and these tests start wrangler some fifty times.
  NODE_COMPILE_CACHE: join(import.meta.dirname, '..', 'node_modules', '.cache', 'node'),
  // More threads only get in each other's way: the lanes keep all cores busy.
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
};

async function run(program: string, ...args: readonly string[]): Promise<Outcome> {
  const { failed, all, message } = await execa(program, args, {
    all: true,
    reject: false,
    stdin: 'ignore',
    preferLocal: true,
    env,
  });
  return { ok: !failed, output: all || (message ?? '') };
}

const python = (...args: readonly string[]) => run('node', 'scripts/python.ts', ...args);

const vitest = (...projects: readonly string[]): Omit<Step, 'name'> => ({
  run: (report) =>
    run(
      'vitest',
      'run',
      ...projects.map((project) => `--project=${project}`),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ),
  count(report) {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(report);
    return { passed: Number(numPassedTests), failed: Number(numFailedTests), skipped: Number(numPendingTests) };
  },
});

const pytest: Omit<Step, 'name'> = {
  run: (report) => python('-m', 'pytest', '-q', `--junitxml=${report}`),
  count(report) {
    const read = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(report)?.[1] ?? 0);
    const failed = read('failures') + read('errors');
    const skipped = read('skipped');
    return { passed: read('tests') - failed - skipped, failed, skipped };
  },
};

const browser = (find: () => Promise<unknown>): Omit<Step, 'name'> => ({
  run: () =>
    find().then(
      () => ({ ok: true, output: '' }),
      (error: Error) => ({ ok: false, output: error.message }),
    ),
});

/**
 * Steps of a lane run one after another. The end-to-end tests come last, because some of them need both Python
 * environments.
 */
const lanes: readonly (readonly Step[])[] = [
  [
    { name: 'Python environment', run: () => python('--version') },
    { name: 'Python environment for API tests', run: () => python('--api', '--version') },
    { name: 'Python lint', run: () => python('-m', 'ruff', 'check', '.') },
    { name: 'Python format', run: () => python('-m', 'ruff', 'format', '--check', '.') },
    { name: 'Python tests', ...pytest },
  ],
  [
    { name: 'types', run: () => run('tsc', '-b', '--noEmit') },
    { name: 'lint', run: () => run('biome', 'check', '--error-on-warnings') },
    { name: 'Chromium', ...browser(findChromium) },
    { name: 'Firefox', isOptional: true, ...browser(findFirefox) },
    { name: 'WebKit', isOptional: true, ...browser(findWebKit) },
    { name: 'workerd tests', ...vitest('worker', 'worker-isolated') },
    { name: 'Node and end-to-end tests', ...vitest('node', 'e2e') },
  ],
];

/** Runs a step, prints its line, and returns the counts of its tests. */
async function perform({ name, isOptional, run, count }: Step, report: string): Promise<Counts> {
  const start = performance.now();
  const { ok, output } = await run(report);
  const seconds = Math.round((performance.now() - start) / 1000);
  const content = await readFile(report, 'utf8').catch(() => undefined);
  const counts = content === undefined ? undefined : count?.(content);
  const isMissing = !ok && isOptional && !process.env.CI;
  const state = ok ? 'ok' : isMissing ? 'MISSING, its tests are skipped' : 'FAILED';
  console.log(`${name} … ${state}${counts ? `, ${counts.passed} passed` : ''} (${seconds} s)`);
  if (!ok) {
    console.log(output);
    if (!isMissing) process.exitCode = 1;
  }
  return counts ?? { passed: 0, failed: 0, skipped: 0 };
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-report-'));
  const results = await Promise.all(
    lanes.map(async (lane) => {
      const counts: Counts[] = [];
      for (const step of lane) counts.push(await perform(step, join(folder, step.name)));
      return counts;
    }),
  );
  await rm(folder, { recursive: true });
  const sum = (name: keyof Counts) => results.flat().reduce((total, counts) => total + counts[name], 0);
  const skipped = sum('skipped');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped ? `, ${skipped} skipped` : ''}`);
}

await main();

/**
 * `npm test`: types, lint, tests inside workerd and in Node, end to end with a real `wrangler dev` and a real
 * Chromium, and the Python tests with real Keras and tf2onnx. A step prints one line, and all it has to say when
 * it fails.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

interface Step {
  readonly name: string;
  run(report: string): Promise<Outcome>;
  /** Tests that passed and failed, from the report file that the step wrote. */
  count?(report: string): { passed: number; failed: number };
}

function command(...argv: readonly [string, ...string[]]): Promise<Outcome> {
  return new Promise((resolve) => {
    const [program, ...args] = argv;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

const vitest = (...projects: string[]) => ({
  run: (report: string) =>
    command(
      'vitest',
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ),
  count(report: string) {
    const { numPassedTests, numFailedTests } = JSON.parse(report);
    return { passed: Number(numPassedTests), failed: Number(numFailedTests) };
  },
});

const attribute = (xml: string, name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(xml)?.[1] ?? 0);

const steps: readonly Step[] = [
  { name: 'types', run: () => command('tsc', '-b', '--noEmit') },
  { name: 'lint', run: () => command('biome', 'check', '--error-on-warnings') },
  {
    name: 'browser',
    run: () =>
      findChromium().then(
        (path) => ({ ok: true, output: path }),
        (error: Error) => ({ ok: false, output: error.message }),
      ),
  },
  { name: 'python', run: () => command('node', 'scripts/python.ts', '--version') },
  {
    name: 'python of the API’s tests',
    run: () => command('node', 'scripts/python.ts', '--api', '--version'),
  },
  {
    name: 'lint of the Python',
    run: () =>
      command('node', 'scripts/python.ts', '-m', 'ruff', 'check', '.').then((checked) =>
        checked.ok ? command('node', 'scripts/python.ts', '-m', 'ruff', 'format', '--check', '.') : checked,
      ),
  },
  { name: 'tests in workerd', ...vitest('worker') },
  { name: 'tests of the model in Python', ...pytest() },
  { name: 'tests end to end', ...vitest('node') },
];

function pytest() {
  return {
    run: (report: string) =>
      command('node', 'scripts/python.ts', '-m', 'pytest', '-q', `--junitxml=${report}`),
    count(report: string) {
      const failed = attribute(report, 'failures') + attribute(report, 'errors');
      return { passed: attribute(report, 'tests') - failed, failed };
    },
  };
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-report-'));
  let passed = 0;
  let failed = 0;
  for (const step of steps) {
    const begun = performance.now();
    process.stdout.write(`${step.name} … `);
    const report = join(folder, 'report');
    await rm(report, { force: true });
    const { ok, output } = await step.run(report);
    const counted = step.count?.(await readFile(report, 'utf8').catch(() => '{}'));
    passed += counted?.passed ?? 0;
    failed += counted?.failed ?? 0;
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(`${ok ? 'ok' : 'FAILED'}${counted ? `, ${counted.passed} passed` : ''} (${seconds} s)`);
    if (!ok) {
      console.log(output);
      process.exitCode = 1;
    }
  }
  await rm(folder, { recursive: true });
  console.log(`${passed} passed, ${failed} failed`);
}

await main();

/**
 * `node scripts/python.ts [--api] ARGS…`: Python with the arguments, in the project's own virtual environment `.venv`,
 * which is made on first use and made again when `convert/requirements.txt` changes. `--api` takes `.venv.api`, that of
 * the API's tests, which may want other versions than TensorFlow does.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ROOT = join(import.meta.dirname, '..');

/** A virtual environment: where it is, and the packages in it. */
interface Environment {
  /** Its folder in the repository. */
  readonly name: string;
  readonly requirements: string;
}

/** For training, conversion and their tests. */
export const MODEL_ENVIRONMENT: Environment = {
  name: '.venv',
  requirements: join(ROOT, 'convert', 'requirements.txt'),
};

/** For the tests of the API. */
export const API_ENVIRONMENT: Environment = {
  name: '.venv.api',
  requirements: join(ROOT, 'test', 'e2e', 'schemathesis', 'requirements.txt'),
};

const folderOf = ({ name }: Environment): string => join(ROOT, name);
/** Written last: an environment without it, or with another content, is not complete. */
const stampOf = (environment: Environment): string => join(folderOf(environment), 'requirements.sha256');
const lockOf = (environment: Environment): string => `${folderOf(environment)}.lock`;
const pythonOf = (environment: Environment): string =>
  process.platform === 'win32'
    ? join(folderOf(environment), 'Scripts', 'python.exe')
    : join(folderOf(environment), 'bin', 'python');

const VERSIONS = ['3.11', '3.12', '3.13'];
const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python'];
/**
 * TensorFlow asks for some hundred megabytes at each step of a training and gives them back. By default glibc returns
 * them to the system each time, and a third of the training is page faults.
 */
const MALLOC = ['hugetlb=1', 'arena_max=1', 'mmap_threshold=4294967296', 'trim_threshold=17179869184']
  .map((setting) => `glibc.malloc.${setting}`)
  .join(':');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const WANTED = 'Python 3.11, 3.12 or 3.13';

interface Interpreter {
  readonly path: string;
  readonly version: string;
  /** Whether it can make a virtual environment with pip in it; Debian keeps that in a package of its own. */
  readonly complete: boolean;
}

/**
 * The path of the Python in the environment, made or renewed first where needed. Says on standard error what takes
 * long.
 *
 * @throws {Error} there is no suitable Python or the packages cannot be installed; the message says what to do
 */
export async function preparePython(environment = MODEL_ENVIRONMENT): Promise<string> {
  const wanted = createHash('sha256')
    .update(await readFile(environment.requirements))
    .digest('hex');
  if (!(await isReady(environment, wanted))) {
    const release = await lock(environment);
    try {
      // Another process may have made it while this one waited.
      if (!(await isReady(environment, wanted))) await build(environment, wanted);
    } finally {
      await release();
    }
  }
  return pythonOf(environment);
}

/** The environment variables that Python runs with here: quiet TensorFlow, UTF-8, and nothing from outside the `.venv`. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const { PYTHONHOME: _home, PYTHONPATH: _path, ...rest } = process.env;
  return {
    TF_CPP_MIN_LOG_LEVEL: '3',
    GLIBC_TUNABLES: MALLOC,
    ...rest,
    KERAS_BACKEND: 'tensorflow',
    PYTHONUTF8: '1',
  };
}

async function isReady(environment: Environment, wanted: string): Promise<boolean> {
  const stamp = await readFile(stampOf(environment), 'utf8').catch(() => '');
  if (stamp.trim() !== wanted) return false;
  // The Python that it was made from may have been removed since.
  return (await stat(pythonOf(environment)).catch(() => undefined)) !== undefined;
}

/** One process makes the environment, others wait. A lock whose owner is gone counts for nothing. */
async function lock(environment: Environment): Promise<() => Promise<void>> {
  const folder = lockOf(environment);
  const owner = join(folder, 'pid');
  for (let waited = 0; ; waited += 1) {
    try {
      await mkdir(folder);
      await writeFile(owner, String(process.pid));
      return () => rm(folder, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (waited === 1) console.error('Waiting for another command that prepares Python …');
    await sleep(1000);
    const pid = Number(await readFile(owner, 'utf8').catch(() => '0'));
    if (waited > 0 && !isAlive(pid)) await rm(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function build(environment: Environment, stamp: string): Promise<void> {
  const python = await findPython();
  const folder = folderOf(environment);
  await rm(folder, { recursive: true, force: true });
  console.error(`Preparing Python ${python.version} in ${environment.name} (once, a few minutes)`);
  await run(python.path, ['-m', 'venv', folder], { env: pythonEnvironment() });
  await install(environment);
  await writeFile(stampOf(environment), `${stamp}\n`);
}

async function findPython(): Promise<Interpreter> {
  const named = process.env.HUSKY_PYTHON;
  const found: Interpreter[] = [];
  for (const path of named ? [named] : NAMES) {
    const interpreter = await probe(path);
    if (interpreter && VERSIONS.includes(interpreter.version)) found.push(interpreter);
  }
  const first = found.find((interpreter) => interpreter.complete) ?? found[0];
  if (!first) {
    throw new Error(
      named
        ? `HUSKY_PYTHON names ${named}, which is not ${WANTED}.`
        : `${WANTED} is needed; HUSKY_PYTHON can name one.`,
    );
  }
  if (!first.complete) await completePython(first);
  return first;
}

async function probe(path: string): Promise<Interpreter | undefined> {
  const code = [
    'import sys, importlib.util as u',
    'print("%d.%d" % sys.version_info[:2], all(u.find_spec(m) for m in ("venv", "ensurepip")))',
  ].join('\n');
  try {
    const { stdout } = await run(path, ['-c', code], { env: pythonEnvironment(), timeout: 30_000 });
    const [version = '', complete] = stdout.trim().split(' ');
    return { path, version, complete: complete === 'True' };
  } catch {
    return undefined;
  }
}

async function completePython({ path, version }: Interpreter): Promise<void> {
  const name = `python${version}-venv`;
  const debian = (await stat('/etc/debian_version').catch(() => undefined)) !== undefined;
  const advice = `${path} (${version}) cannot make virtual environments. Install ${debian ? name : 'its venv and ensurepip modules'}`;
  if (!debian || process.getuid?.() !== 0) throw new Error(`${advice}, or set HUSKY_PYTHON to another.`);
  console.error(`Installing ${name} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], { env });
  } catch (cause) {
    throw new Error(`${advice}: apt-get could not.`, { cause });
  }
}

/** Runs pip and shows one line that counts packages. Only ready-built wheels: nothing of a package runs in installing. */
async function install(environment: Environment): Promise<void> {
  const { requirements } = environment;
  const total = (await readFile(requirements, 'utf8')).split('\n').filter((line) => /^\w/.test(line)).length;
  const args = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--progress-bar=off'];
  const child = spawn(pythonOf(environment), [...args, '--only-binary=:all:', '-r', requirements], {
    env: pythonEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Ending early must not leave pip behind: 'exit' does not come with a signal unless somebody handles it.
  const stop = () => child.kill();
  const interrupted = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);
  process.once('exit', stop);
  for (const signal of SIGNALS) process.once(signal, interrupted);
  let output = '';
  let count = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4000);
      for (const [, name] of text.matchAll(/^Collecting ([\w.-]+)/gm)) {
        count += 1;
        progress(`  ${Math.min(count, total)}/${total} ${name}`);
      }
      if (text.includes('Installing collected packages')) progress('  unpacking');
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  process.off('exit', stop);
  for (const signal of SIGNALS) process.off(signal, interrupted);
  progress('');
  if (code !== 0) throw new Error(`The Python packages could not be installed.\n${output.trim()}`);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main(): Promise<void> {
  const [first, ...others] = process.argv.slice(2);
  const api = first === '--api';
  const python = await preparePython(api ? API_ENVIRONMENT : MODEL_ENVIRONMENT);
  const child = spawn(python, api ? others : process.argv.slice(2), {
    stdio: 'inherit',
    env: pythonEnvironment(),
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the child by itself; a second one would cut its cleaning up short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

if (process.argv[1] === import.meta.filename) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

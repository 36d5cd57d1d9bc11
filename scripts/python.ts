/**
 * `node scripts/python.ts [--api] ARGS…` runs the project's Python. uv keeps its virtual environment, `.venv`, equal to
 * requirements/model.txt. `--api` selects `.venv.api` and requirements/api.txt: the API's tests.
 * `node scripts/python.ts --lock [--upgrade]` writes the files in requirements/ from the dependency groups of pyproject.toml.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const ROOT = join(import.meta.dirname, '..');
const UV = 'uv==0.13.9';
const UV_FOLDER = join(ROOT, '.venv.uv');
const BIN = process.platform === 'win32' ? 'Scripts' : 'bin';
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A dependency group of pyproject.toml, which requirements/ locks, and the folder of its virtual environment. */
interface Environment {
  readonly folder: string;
  readonly group: string;
}

/** For training, conversion and their tests. */
export const MODEL_ENVIRONMENT: Environment = { folder: '.venv', group: 'model' };

/** For the tests of the API. */
export const API_ENVIRONMENT: Environment = { folder: '.venv.api', group: 'api' };

/** Real clients of other protocols, for the tests of the API. */
export const CLIENTS_ENVIRONMENT: Environment = { folder: '.venv.clients', group: 'clients' };

/** For drawing pictures in every format. */
export const FORMATS_ENVIRONMENT: Environment = { folder: '.venv.formats', group: 'formats' };

/**
 * TensorFlow allocates hundreds of megabytes in each training step and frees them again. By default glibc returns them to
 * the system each time, and page faults take a third of the training.
 */
const MALLOC = ['hugetlb=1', 'arena_max=1', 'mmap_threshold=4294967296', 'trim_threshold=17179869184']
  .map((setting) => `glibc.malloc.${setting}`)
  .join(':');

/**
 * Returns the path of the environment's Python, after creating or updating the environment if necessary. uv locks it
 * against other processes. `HUSKY_PYTHON` names the Python to create it with.
 *
 * @throws {Error} if there is no suitable Python or the packages cannot be installed; the message says what to do
 */
export async function preparePython({ folder, group }: Environment = MODEL_ENVIRONMENT): Promise<string> {
  const target = join(ROOT, folder);
  const python = join(target, BIN, 'python');
  if (!existsSync(python)) {
    console.error(`Preparing Python in ${folder} (once, about a minute)`);
    await runUv(['venv', '--allow-existing', '--python', process.env.HUSKY_PYTHON ?? '>=3.11,<3.14', target]);
  }
  // Only ready-built wheels: installing runs no code of a package.
  await runUv(['pip', 'sync', '--only-binary', ':all:', '--python', python, `requirements/${group}.txt`]);
  return python;
}

/** @throws {Error} uv failed; the message ends with what it printed */
async function runUv(args: readonly string[]): Promise<void> {
  const { VIRTUAL_ENV: _active, ...env } = pythonEnvironment();
  const { failed, stderr } = await execa(await prepareUv(), args, {
    cwd: ROOT,
    env: { UV_HTTP_TIMEOUT: '180', ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  if (failed) throw new Error(`Python could not be prepared.\n${stderr}`);
}

/** Writes the exact version of each package, for every platform, without addresses. */
async function lockPackages(options: readonly string[]): Promise<void> {
  for (const group of ['model', 'api', 'clients', 'formats', 'proof']) {
    const format = ['--universal', '--python-version', '3.11', '--no-header', '--no-annotate'];
    const output = ['--output-file', `requirements/${group}.txt`];
    await runUv(['pip', 'compile', '--group', `pyproject.toml:${group}`, ...format, ...output, ...options]);
  }
}

/** Returns the environment variables for Python: quiet TensorFlow, UTF-8, and packages from ROOT and the environment only. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const { PYTHONHOME: _home, ...rest } = process.env;
  return {
    TF_CPP_MIN_LOG_LEVEL: '3',
    GLIBC_TUNABLES: MALLOC,
    ...rest,
    KERAS_BACKEND: 'tensorflow',
    PYTHONPATH: ROOT,
    PYTHONUTF8: '1',
  };
}

/** Returns the path of uv, installed from PyPI if necessary. Its binary is self-contained, so a rename publishes it. */
async function prepareUv(): Promise<string> {
  const name = process.platform === 'win32' ? 'uv.exe' : 'uv';
  const folder = `${UV_FOLDER}-${UV.split('==')[1]}`;
  const uv = join(folder, BIN, name);
  if (existsSync(uv)) return uv;
  const scratch = await mkdtemp(`${UV_FOLDER}-`);
  try {
    await createVenv(scratch);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:', UV];
    await execa(join(scratch, BIN, 'python'), pip, { env: { PYTHONPATH: '' } });
    await rename(scratch, folder).catch((error: unknown) => {
      if (!existsSync(uv)) throw error; // otherwise another process was faster
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return uv;
}

/** Creates a virtual environment with pip. Debian has that in a package of its own, which root gets installed. */
async function createVenv(folder: string): Promise<void> {
  const names = process.env.HUSKY_PYTHON ? [process.env.HUSKY_PYTHON] : PYTHONS;
  const create = async (): Promise<boolean> => {
    for (const name of names) {
      const { failed } = await execa(name, ['-m', 'venv', '--clear', folder], { reject: false });
      if (!failed) return true;
    }
    return false;
  };
  if (await create()) return;
  const version = await execa(names[0] ?? '', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
    reject: false,
  });
  const packageName = `python${version.stdout ?? '3'}-venv`;
  const advice = `Python 3.11, 3.12 or 3.13 with venv and pip is needed (on Debian, apt-get install ${packageName}); HUSKY_PYTHON can name one.`;
  if (version.failed || !existsSync('/etc/debian_version') || process.getuid?.() !== 0) throw new Error(advice);
  console.error(`Installing ${packageName} …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const update = await execa('apt-get', ['update', '-qq'], { env, reject: false });
  const install = ['install', '-y', '-qq', '--no-install-recommends', packageName];
  const { failed } = update.failed ? update : await execa('apt-get', install, { env, reject: false });
  if (failed || !(await create())) throw new Error(advice);
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args[0] === '--lock') return lockPackages(args.slice(1));
  const isApi = args[0] === '--api';
  const python = await preparePython(isApi ? API_ENVIRONMENT : MODEL_ENVIRONMENT);
  const child = execa(python, isApi ? args.slice(1) : args, {
    stdio: 'inherit',
    env: pythonEnvironment(),
    extendEnv: false,
    reject: false,
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child itself; a second one would cut its cleanup short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  const { exitCode, signal, code, shortMessage } = await child;
  if (code === 'ENOENT') throw new Error(shortMessage);
  process.exitCode = exitCode ?? 128 + (signal ? constants.signals[signal] : 0);
}

if (process.argv[1] === import.meta.filename) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

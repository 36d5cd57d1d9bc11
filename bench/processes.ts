import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { preparePython, pythonEnvironment } from '../scripts/python.ts';
import { freePort, untilAnswers } from '../scripts/wrangler-dev.ts';

export const BENCH = import.meta.dirname;
export const ROOT = join(BENCH, '..');

/** TensorFlow takes its time where the machine is busy with other things. */
const START_TIMEOUT = 300_000;

/** Something that answers over HTTP and can be ended. */
export interface Service {
  readonly url: string;
  stop(): Promise<void>;
}

/** One that is a process of its own. */
export interface Server extends Service {
  readonly pid: number;
}

/** Installs what bench/package-lock.json names, where that has not been done. */
export async function installDependencies(): Promise<void> {
  const lock = await readFile(join(BENCH, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  const stamp = join(BENCH, 'node_modules', '.lock-sha256');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return;
  console.error('Installing sharp and onnxruntime-node for the native side, once …');
  // onnxruntime-node's script would fetch GPU libraries; the CPU's are in the package.
  const command = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await finish(spawn('npm', command, { cwd: BENCH, stdio: 'pipe', shell: process.platform === 'win32' }));
  await writeFile(stamp, wanted);
}

/** Runs a script in Node until it ends. @throws {Error} with what it has printed, when it fails */
export async function runNode(what: string, args: readonly string[]): Promise<void> {
  console.error(`${what} …`);
  await finish(spawn(process.execPath, args, { cwd: ROOT, stdio: 'pipe' }));
}

/** Runs a Python script of the project until it ends. @throws {Error} with what it has printed, when it fails */
export async function runPython(args: readonly string[]): Promise<void> {
  const python = await preparePython();
  await finish(spawn(python, args, { cwd: ROOT, stdio: 'pipe', env: pythonEnvironment() }));
}

/** Starts a server of ours in Node; it gets `--port N` behind its arguments. */
export async function serveNode(args: readonly string[]): Promise<Server> {
  const port = await freePort();
  return serve(
    port,
    spawn(process.execPath, [...args, '--port', String(port)], { cwd: ROOT, stdio: 'pipe' }),
  );
}

/** The same in the project's Python. */
export async function servePython(args: readonly string[]): Promise<Server> {
  const python = await preparePython();
  const port = await freePort();
  const env = pythonEnvironment();
  return serve(port, spawn(python, [...args, '--port', String(port)], { cwd: ROOT, stdio: 'pipe', env }));
}

async function serve(port: number, child: ChildProcess): Promise<Server> {
  const output = collect(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null) kill();
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilAnswers(url, child, START_TIMEOUT);
  } catch (cause) {
    await stop();
    throw new Error(`A server did not start:\n${output()}`, { cause });
  }
  return { url, pid: child.pid ?? 0, stop };
}

function finish(child: ChildProcess): Promise<void> {
  const output = collect(child);
  const kill = () => child.kill();
  process.once('exit', kill);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', kill);
      if (code === 0) resolve();
      else reject(new Error(output()));
    });
  });
}

/** The end of everything that a process prints. */
function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-4000);
    });
  }
  return () => text.trim();
}

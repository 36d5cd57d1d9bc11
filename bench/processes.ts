import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { preparePython, pythonEnvironment } from '../scripts/python.ts';

export const BENCH = import.meta.dirname;
export const ROOT = join(BENCH, '..');

/** A process that answers over HTTP. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Installs bench/native/package.json's dependencies once. */
export async function installDependencies(): Promise<void> {
  const cwd = join(BENCH, 'native');
  if (existsSync(join(cwd, 'node_modules'))) return;
  console.error('Installing onnxruntime-node, once …');
  // Its install script would download GPU libraries.
  await execa('npm', ['install', '--ignore-scripts', '--no-package-lock', '--no-audit'], { cwd });
}

/** Runs a script in Node until it ends. @throws {Error} with its output, when it fails */
export async function runNode(what: string, args: readonly string[]): Promise<void> {
  console.error(`${what} …`);
  await execa(process.execPath, args, { cwd: ROOT });
}

/** Runs a Python script of the project until it ends. @throws {Error} with its output, when it fails */
export async function runPython(args: readonly string[]): Promise<void> {
  await execa(await preparePython(), args, { cwd: ROOT, env: pythonEnvironment(), extendEnv: false });
}

/** Starts a server in Node. It prints its address once it listens. */
export const serveNode = (args: readonly string[]): Promise<Server> => serve(process.execPath, args);

/** Starts a server in the project's Python. It prints its address once it listens. */
export const servePython = async (args: readonly string[]): Promise<Server> =>
  serve(await preparePython(), args, pythonEnvironment());

async function serve(program: string, args: readonly string[], env = process.env): Promise<Server> {
  const server = execa(program, args, { cwd: ROOT, env, extendEnv: false, reject: false });
  const ended = server.then(({ stderr }) => {
    throw new Error(`${args[0]} ended:\n${stderr}`);
  });
  const [url] = await Promise.race([once(createInterface(server.stdout), 'line'), ended]);
  // From here on it may end: stop() asks it to.
  ended.catch(() => {});
  const stop = async () => {
    server.kill('SIGKILL');
    await server;
  };
  return { url: String(url), pid: server.pid ?? 0, stop };
}

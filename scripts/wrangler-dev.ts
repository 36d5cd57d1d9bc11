import { type ChildProcess, spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import getPort from 'get-port';

const packageFile = createRequire(import.meta.url).resolve('wrangler/package.json');
/** The command line of the project's own wrangler: a script for Node. */
export const WRANGLER = join(dirname(packageFile), 'bin', 'wrangler.js');

/** Starts `wrangler dev` on 127.0.0.1, without its inspector unless `args` ask for it. */
export function spawnWranglerDev(port: number, args: readonly string[], stdio: 'inherit' | 'pipe'): ChildProcess {
  const inspector = args.includes('--inspector-port') ? [] : ['--inspector-port', '0'];
  return spawn(
    process.execPath,
    [WRANGLER, 'dev', '--ip', '127.0.0.1', '--port', String(port), ...inspector, ...args],
    { stdio: [stdio, stdio, stdio, 'ipc'], env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } },
  );
}

/** A free port of 127.0.0.1: the preferred one, or else any. */
export function freePort(preferred = 0): Promise<number> {
  return getPort({ port: preferred, host: '127.0.0.1' });
}

/**
 * Resolves when this `wrangler dev` reports over its IPC channel that it listens. Until then, its port may be another
 * server's. The Worker behind it may still fail to start.
 *
 * @throws {Error} it ended instead
 */
export function untilReady(dev: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    dev.on('message', (message) => {
      if (String(message).includes('DEV_SERVER_READY')) resolve();
    });
    dev.once('exit', () => reject(new Error('wrangler dev ended before it was ready')));
  });
}

/** Resolves when the server answers, with any status; rejects when its process ends first. */
export async function untilAnswers(url: string, server: ChildProcess, timeout = 60_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error('the server ended');
    if (await answers(url)) return;
    await setTimeout(200);
  }
  throw new Error(`${url} does not answer`);
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    // `wrangler dev` signs its own certificate, and this is our own machine.
    const request = url.startsWith('https:') ? https.get(url, { rejectUnauthorized: false }) : http.get(url);
    request.setTimeout(5_000, () => request.destroy());
    request.once('response', (response) => {
      response.resume();
      resolve(true);
    });
    request.once('error', () => resolve(false));
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const packageFile = createRequire(import.meta.url).resolve('wrangler/package.json');
/** The command line of the project's own wrangler: a script for Node. */
export const WRANGLER = join(dirname(packageFile), 'bin', 'wrangler.js');

/** Starts `wrangler dev` on 127.0.0.1 with these further arguments; without the inspector unless they ask for it. */
export function spawnWranglerDev(
  port: number,
  args: readonly string[],
  stdio: 'inherit' | 'pipe',
): ChildProcess {
  const inspector = args.includes('--inspector-port') ? [] : ['--inspector-port', '0'];
  return spawn(
    process.execPath,
    [WRANGLER, 'dev', '--ip', '127.0.0.1', '--port', String(port), ...inspector, ...args],
    { stdio, env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } },
  );
}

/** A port of 127.0.0.1 that nobody listens on: the preferred one, or any. */
export function freePort(preferred = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' && preferred !== 0) resolve(freePort());
      else reject(error);
    });
    server.listen(preferred, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : preferred;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when the service answers, whatever it answers; rejects when the process ends before. */
export async function untilAnswers(url: string, dev: ChildProcess, timeout = 60_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    if (dev.exitCode !== null || dev.signalCode !== null) throw new Error('wrangler dev ended');
    if (await answers(url)) return;
    await setTimeout(200);
  }
  throw new Error(`${url} does not answer`);
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    // The certificate of `wrangler dev` is its own, and this is our own machine.
    const request = url.startsWith('https:') ? https.get(url, { rejectUnauthorized: false }) : http.get(url);
    request.setTimeout(5_000, () => request.destroy());
    request.once('response', (response) => {
      response.resume();
      resolve(true);
    });
    request.once('error', () => resolve(false));
  });
}

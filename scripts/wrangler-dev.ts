import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

const packageFile = createRequire(import.meta.url).resolve('wrangler/package.json');
const WRANGLER = join(dirname(packageFile), 'bin', 'wrangler.js');

/** Starts `wrangler dev` on 127.0.0.1 with these further arguments. */
export function spawnWranglerDev(
  port: number,
  args: readonly string[],
  stdio: 'inherit' | 'pipe',
): ChildProcess {
  return spawn(
    process.execPath,
    [WRANGLER, 'dev', '--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0', ...args],
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

/** Resolves when `url` answers, whatever it answers; rejects when the process ends before. */
export async function untilAnswers(url: string, dev: ChildProcess, timeout = 60_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    if (dev.exitCode !== null || dev.signalCode !== null) throw new Error('wrangler dev ended');
    try {
      await fetch(url, { signal: AbortSignal.timeout(5_000) });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error(`${url} does not answer`);
}

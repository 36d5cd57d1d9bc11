import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/wrangler-dev.ts';
import { solidPng } from '../pictures/png.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Runs `npm start` until it prints the address, then `use`; what it printed is the result. */
async function start(args: readonly string[], use: (address: string) => Promise<void>): Promise<string> {
  const child = spawn(process.execPath, ['scripts/start.ts', ...args, '--persist-to', folder]);
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const address = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const found = /Husky AI: (https?:\S+)/.exec(output)?.[1];
        if (found) resolve(found);
      });
    }
    void ended.then(() => reject(new Error(`it ended:\n${output}`)));
  });
  try {
    await use(await address);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  return output;
}

test('the first start publishes the committed model and serves it at the port that was asked for', async () => {
  const port = await freePort();
  const output = await start(['--port', String(port)], async (address) => {
    expect(address).toBe(`http://localhost:${port}`);
    const url = `http://127.0.0.1:${port}`;
    const body = await solidPng([20, 90, 200]);
    const response = await fetch(`${url}/api/predict`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'image/png' },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ model: { name: expect.any(String) } });
    const page = await fetch(url);
    expect(page.headers.get('Content-Type')).toContain('text/html');
  });
  expect(output).toContain('published it');
});

test('the second start finds it there', async () => {
  const port = await freePort();
  const output = await start([`--port=${port}`], async () => {
    expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200);
  });
  expect(output).not.toContain('published');
});

test('--https serves over TLS', async () => {
  const port = await freePort();
  await start(['--https', '--port', String(port)], async (address) => {
    expect(address).toBe(`https://localhost:${port}`);
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Reserved addresses (RFC 5737, RFC 6761): even on an open network, they reach nobody. */
const SCRIPT = `
  import https from 'node:https';
  import net from 'node:net';
  const said = [];
  await fetch('http://192.0.2.1/').catch((error) => said.push(error.cause.message));
  await fetch('https://host.test/').catch((error) => said.push(error.cause.message));
  await new Promise((done) => https.get('https://other.test/').on('error', (error) => done(said.push(error.message))));
  const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  await new Promise((done) => net.connect(server.address().port, '127.0.0.1').on('connect', () => done(said.push('loopback'))));
  server.close();
  console.log(said.join('\\n'));
  process.exit();
`;

test('a deployment under test can reach loopback only, and other hosts are recorded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-network-'));
  const log = join(folder, 'reached');
  const preload = join(import.meta.dirname, 'stand-in', 'closed-network.ts');
  const args = ['--import', preload, '--input-type=module', '--eval', SCRIPT];
  const env = { ...process.env, CLOSED_NETWORK_LOG: log };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const hosts = ['192.0.2.1', 'host.test', 'other.test'];
  expect(stdout.trim().split('\n')).toEqual([
    ...hosts.map((host) => `the network is closed in tests: ${host}`),
    'loopback',
  ]);
  expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(hosts);
  await rm(folder, { recursive: true });
});

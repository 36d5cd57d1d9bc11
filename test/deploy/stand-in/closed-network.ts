/**
 * Loaded with `node --import` into every process of a deployment under test, so that nothing leaves this machine.
 * Connections to anywhere but loopback fail and are recorded in the file named by CLOSED_NETWORK_LOG. Requests to
 * `*.workers.dev` from wrangler's proxy for remote bindings, which runs in workerd, go to the stand-in.
 */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import type { Request, Response } from 'miniflare';

const { CLOSED_NETWORK_LOG, STAND_IN_PREVIEW } = process.env;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

const connect = net.Socket.prototype.connect;

/** Finds the host in the arguments of `connect`, which Node nests in a list; undefined for a path. */
function hostIn(args: readonly unknown[]): string | undefined {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first !== 'object' || first === null) return undefined;
  // A local socket; the options of a request over TCP have a `path` too, which is null.
  if ('path' in first && typeof first.path === 'string') return undefined;
  return 'host' in first && typeof first.host === 'string' ? first.host : 'localhost';
}

net.Socket.prototype.connect = function (this: net.Socket, ...args: never[]): net.Socket {
  const host = hostIn(args);
  if (host === undefined || LOOPBACK.has(host)) return Reflect.apply(connect, this, args);
  if (CLOSED_NETWORK_LOG) appendFileSync(CLOSED_NETWORK_LOG, `${host}\n`);
  // Fail asynchronously, like a real connection: TLS has yet to attach to the socket.
  process.nextTick(() => this.destroy(new Error(`the network is closed in tests: ${host}`)));
  return this;
};

type Miniflare = typeof import('miniflare');
type Options = Parameters<Miniflare['convertV4MiniflareOptions']>[0];
type Worker = { name?: string; outboundService?: typeof toStandIn };

// wrangler loads it with `require`, so it gets the cached module.
const require = createRequire(createRequire(import.meta.url).resolve('wrangler/package.json'));
const original: Miniflare = require('miniflare');
const cached = require.cache[require.resolve('miniflare')];
if (!cached) throw new Error('miniflare is not in the cache of modules');
cached.exports = { ...original, convertV4MiniflareOptions };

function convertV4MiniflareOptions(options: Options): ReturnType<Miniflare['convertV4MiniflareOptions']> {
  const workers: readonly Worker[] = 'workers' in options && Array.isArray(options.workers) ? options.workers : [];
  const proxy = workers.find(({ name }) => name === 'ProxyWorker');
  if (proxy && STAND_IN_PREVIEW) proxy.outboundService = toStandIn;
  return original.convertV4MiniflareOptions(options);
}

/** Headers that apply to a single connection. */
const HOP_BY_HOP = ['connection', 'content-encoding', 'content-length', 'transfer-encoding'];

function passedOn(headers: Iterable<[string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.includes(name.toLowerCase())));
}

async function toStandIn(request: Request): Promise<Response> {
  if (!new URL(request.url).hostname.endsWith('.workers.dev') || !STAND_IN_PREVIEW)
    return new original.Response('the network is closed in tests', { status: 502 });
  const body = Buffer.from(await request.arrayBuffer());
  const answer = await fetch(STAND_IN_PREVIEW, {
    method: request.method,
    headers: passedOn(request.headers),
    body: body.byteLength > 0 ? body : null,
  });
  const headers = passedOn(answer.headers);
  return new original.Response(await answer.arrayBuffer(), { status: answer.status, headers });
}

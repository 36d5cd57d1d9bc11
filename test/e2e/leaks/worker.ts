/**
 * The Worker as it is, except that it leaks what it is sent into the place that the header `X-Leak` names: what the
 * privacy test must notice. Never deployed.
 */
import { createApp } from '../../../src/app.ts';
import { configOf, type Env } from '../../../src/config.ts';
import { createIsolate, type Isolate } from '../../../src/isolate.ts';

interface LeakyEnv extends Env {
  readonly STATE: KVNamespace;
}

let isolate: Isolate | undefined;

const app = createApp((env) => {
  isolate ??= createIsolate(configOf(env), env.MODELS);
  return isolate;
});

const leaks: Record<string, (body: ArrayBuffer, env: LeakyEnv, request: Request) => unknown> = {
  'log: name': (body) => {
    const name = /filename="([^"]+)"/.exec(new TextDecoder('latin1').decode(body))?.[1];
    console.log(JSON.stringify({ photo: name }));
  },
  'log: bytes': (body) => console.log(new Uint8Array(body).toBase64()),
  'log: hex': (body) => console.log(new Uint8Array(body).toHex()),
  'log: address': (_body, _env, request) => console.log(request.headers.get('CF-Connecting-IP')),
  'R2: object': (body, env) => env.MODELS.put('stray', body),
  'R2: key': (body, env) =>
    env.MODELS.put(/filename="([^"]+)"/.exec(new TextDecoder('latin1').decode(body))?.[1] ?? 'none', 'x'),
  cache: async (body) => {
    const response = new Response(body, { headers: { 'Cache-Control': 'max-age=3600' } });
    await caches.default.put('https://cache.test/photo', response);
  },
  state: (body, env) => env.STATE.put('photo', body),
};

export default {
  async fetch(request, env, context) {
    const leak = leaks[request.headers.get('X-Leak') ?? ''];
    if (leak) await leak(await request.clone().arrayBuffer(), env, request);
    return app.fetch(request, env, context);
  },
} satisfies ExportedHandler<LeakyEnv>;

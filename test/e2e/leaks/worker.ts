/**
 * The Worker, except that it leaks each upload to the place that the header `X-Leak` names. The privacy test must notice.
 * Never deployed.
 */
import { env as bindings } from 'cloudflare:workers';
import { createApp } from '../../../src/app.ts';
import { parseConfig } from '../../../src/config.ts';
import type { Env } from '../../../src/env.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { createService } from '../../../src/service.ts';

interface LeakyEnv extends Env {
  readonly STATE: KVNamespace;
}

const app = createApp(createService(parseConfig(bindings), bindings, codecs));

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

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createApp } from '../../src/app.ts';
import { configOf, type Env } from '../../src/config.ts';
import { createIsolate } from '../../src/isolate.ts';
import { signer } from './model/put-version.ts';

export type Service = (path: string, init?: RequestInit) => Promise<Response>;

/** The bucket of this test file, as the Worker sees it. */
export const bucket: R2Bucket = env.MODELS;

/**
 * The application as in a new isolate: nothing loaded yet. `bindings` override those of wrangler.toml.
 *
 * @param waits whether an answer is handed out only when all that `waitUntil` was given has ended
 */
export function newService(
  bindings: Partial<Env> & Record<string, unknown> = {},
  { waits = true } = {},
): Service {
  const bound: Env & Record<string, unknown> = {
    ...env,
    MODELS: bucket,
    MODEL_PUBLIC_KEYS: signer.publicKeyPem,
    RATE_LIMITS: 'off',
    ...bindings,
  };
  const isolate = createIsolate(configOf(bound), bound.MODELS);
  const app = createApp(() => isolate);
  return async (path, init) => {
    const context = createExecutionContext();
    const response = await app.fetch(new Request(`https://husky.test${path}`, init), bound, context);
    if (waits) await waitOnExecutionContext(context);
    return response;
  };
}

/** Uploads a file as the raw body. */
export const raw = (body: Uint8Array<ArrayBuffer> | string, type = 'image/png'): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'Content-Type': type },
});

/** Uploads a file as a form field. */
export function form(bytes: Uint8Array<ArrayBuffer>, field = 'file'): RequestInit {
  const body = new FormData();
  body.append('other', 'text before the file');
  body.append(field, new File([bytes], 'photo.png', { type: 'image/png' }));
  return { method: 'POST', body };
}

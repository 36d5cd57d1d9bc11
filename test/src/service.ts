import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import type { Env } from '../../src/env.ts';
import { codecs } from '../../src/image/codecs.ts';
import { runtime } from '../../src/model/worker-runtime.ts';
import { createService } from '../../src/service.ts';
import { signer } from './model/put-version.ts';

export type Service = (path: string, init?: RequestInit, protocol?: 'http:' | 'https:') => Promise<Response>;

/** The bucket of this test file, as the Worker sees it. */
export const bucket: R2Bucket = env.MODELS;

/** The bindings and variables of a test service; `bindings` override those of wrangler.toml. */
export function bind(bindings: Partial<Env> & Record<string, unknown> = {}): Env {
  const defaults = { MODELS: bucket, MODEL_PUBLIC_KEYS: signer.publicKeyPem, RATE_LIMITS: 'off' };
  return { ...env, ...defaults, ...bindings };
}

interface ServiceOptions {
  /** Whether an answer waits for everything passed to `waitUntil`. */
  readonly waits?: boolean;
  readonly codecs?: typeof codecs;
}

/** The application as in a new isolate, with nothing loaded. */
export function newService(
  bindings: Partial<Env> & Record<string, unknown> = {},
  { waits = true, codecs: accepted = codecs }: ServiceOptions = {},
): Service {
  const bound = bind(bindings);
  const app = createApp(createService(parseConfig(bound), bound, accepted));
  return async (path, init, protocol = 'https:') => {
    const context = createExecutionContext();
    const response = await app.fetch(new Request(`${protocol}//husky.test${path}`, init), bound, context);
    if (waits) await waitOnExecutionContext(context);
    return response;
  };
}

/** Settings that leave `bytes` for photos once a tiny model is loaded. */
export function leaving(bytes: number): Record<string, number> {
  const BASELINE_MEMORY_BYTES = 8_000_000;
  const MAX_MODEL_MEMORY_BYTES = runtime.bytes;
  const ISOLATE_MEMORY_BYTES = BASELINE_MEMORY_BYTES + runtime.bytes + bytes;
  return { ISOLATE_MEMORY_BYTES, BASELINE_MEMORY_BYTES, MAX_MODEL_MEMORY_BYTES };
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

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import * as z from 'zod';
import { ApiError, type Call, type Endpoint, formOf, jsonOf } from './api.ts';
import { RAW_BUCKET } from './raw-bucket.ts';

const Creation = z.strictObject({ name: z.string() });
const Preview = z.object({
  main_module: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()).default([]),
  bindings: z.tuple([
    z.object({
      type: z.literal('r2_bucket'),
      name: z.string(),
      bucket_name: z.string(),
      raw: z.literal(true),
    }),
  ]),
});

/**
 * The account's buckets and the remote bindings to them: wrangler uploads its own Worker as a preview, which runs here in
 * workerd and forwards requests to the bucket, which is stored where `wrangler dev` keeps its own.
 */
export class Buckets {
  readonly names = new Set<string>();
  readonly #session = randomUUID();
  readonly #previews = new Map<string, Miniflare>();
  readonly #persistTo: string;

  constructor(persistTo: string) {
    this.#persistTo = persistTo;
  }

  readonly endpoints: readonly Endpoint[] = [
    {
      method: 'POST',
      path: /^\/r2\/buckets$/,
      answer: (call) => {
        const { name } = Creation.parse(jsonOf(call));
        if (this.names.has(name))
          throw new ApiError(409, 10004, 'The bucket you tried to create already exists, and you own it.');
        this.names.add(name);
        return { name };
      },
    },
    {
      method: 'GET',
      path: /^\/r2\/buckets\/([^/]+)$/,
      answer: (_, name = '') => {
        if (!this.names.has(name)) throw new ApiError(404, 10006, 'The specified bucket does not exist.');
        return { name };
      },
    },
    {
      method: 'GET',
      path: /^\/workers\/subdomain\/edge-preview$/,
      answer: () => ({ token: this.#session }),
    },
    {
      method: 'POST',
      path: /^\/workers\/scripts\/([^/]+)\/edge-preview$/,
      answer: (call) => this.#startPreview(call),
    },
  ];

  /** Responds like a preview's address under workers.dev. */
  async askPreview({ method, path, headers, body }: Call): Promise<Response> {
    const preview = this.#previews.get(headers.get('cf-workers-preview-token') ?? '');
    if (!preview) return new Response('Invalid Workers Preview configuration', { status: 400 });
    const passed = new Headers(headers);
    for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) passed.delete(name);
    const answer = await preview.dispatchFetch(`http://preview${path}`, {
      method,
      headers: Object.fromEntries(passed),
      body: body.byteLength > 0 ? new Uint8Array(body) : null,
    });
    return new Response(await answer.arrayBuffer(), {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
    });
  }

  async #startPreview(call: Call): Promise<object> {
    if (call.headers.get('cf-preview-upload-config-token') !== this.#session)
      throw new ApiError(400, 10049, 'no such session');
    const form = await formOf(call);
    const metadata = Preview.parse(JSON.parse(String(form.get('metadata'))));
    const [{ name, bucket_name: bucket }] = metadata.bindings;
    if (!this.names.has(bucket)) throw new ApiError(400, 10085, `R2 bucket '${bucket}' not found.`);
    const main = form.get(metadata.main_module);
    if (main === null || typeof main === 'string') throw new ApiError(400, 10021, 'no main module');
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        resourcePersistencePath: join(this.#persistTo, 'v3'),
        cf: false,
        workers: [
          {
            name: 'preview',
            modules: [{ type: 'ESModule', path: 'main.mjs', contents: await main.text() }],
            compatibilityDate: metadata.compatibility_date,
            compatibilityFlags: metadata.compatibility_flags,
            r2Buckets: { STORE: bucket },
            unsafeBindings: [
              {
                name,
                type: RAW_BUCKET,
                plugin: { package: join(import.meta.dirname, 'raw-bucket.ts'), name: RAW_BUCKET },
                options: { bucket },
              },
            ],
          },
        ],
      }),
    );
    await miniflare.ready;
    const preview_token = randomUUID();
    this.#previews.set(preview_token, miniflare);
    return { preview_token };
  }

  async stop(): Promise<void> {
    for (const preview of this.#previews.values()) await preview.dispose();
  }
}

import type { Context, MiddlewareHandler } from 'hono';
import { etag, RETAINED_304_HEADERS } from 'hono/etag';
import type { AppEnv, Service } from '../env.ts';

interface StaticDocument {
  readonly text: string;
  readonly etag: string;
}

/** The most origins whose documents are kept, so that requests with forged hosts fill no memory. */
const MAX_ORIGINS = 8;

/** Answers 304 to a client that has the document; browsers apply the headers of a 304 to the page that they kept. */
export const revalidate: MiddlewareHandler<AppEnv> = etag({
  retainedHeaders: [...RETAINED_304_HEADERS, 'Content-Security-Policy'],
});

/**
 * Returns a function that renders a document once per isolate and origin, and sets the headers for revalidating it. The
 * document must depend on nothing else of a request.
 */
export function renderOnce(
  render: (c: Context<AppEnv>) => string | Promise<string>,
): (c: Context<AppEnv>) => Promise<string> {
  const byService = new WeakMap<Service, Map<string, StaticDocument>>();
  return async (c) => {
    const { service } = c.var;
    const { origin } = new URL(c.req.url);
    const kept = byService.get(service) ?? new Map<string, StaticDocument>();
    byService.set(service, kept);
    let document = kept.get(origin);
    if (!document) {
      const text = await render(c);
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      document = { text, etag: `"${new Uint8Array(digest, 0, 16).toHex()}"` };
      if (kept.size >= MAX_ORIGINS) kept.clear();
      kept.set(origin, document);
    }
    c.header('ETag', document.etag);
    c.header('Cache-Control', 'no-cache');
    return document.text;
  };
}

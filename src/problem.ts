import type { ApiError } from './errors.ts';

/** The failure as `application/problem+json` (RFC 9457) with its stable `code`. */
export function problemResponse(error: ApiError): Response {
  const { code, status, title } = error;
  const body = { type: `urn:husky-ai:problem:${code}`, title, status, code, detail: error.message };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...error.headers, 'Content-Type': 'application/problem+json' },
  });
}

import type { Problem } from './api/schemas.ts';
import type { ApiError } from './errors.ts';

/** The failure as it is told: RFC 9457, with its stable `code`. */
export function problemOf(error: ApiError): Problem {
  const { code, status, title, message } = error;
  return { type: `urn:husky-ai:problem:${code}`, title, status, code, detail: message };
}

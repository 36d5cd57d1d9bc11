import { randomUUID } from 'node:crypto';

/** What wrangler is given to get in with; the stand-in knows no other. */
export const ACCOUNT = 'ac'.repeat(16);
export const TOKEN = 'a-token-of-the-stand-in';
/** The account's subdomain of workers.dev. */
export const SUBDOMAIN = 'kennel';

/** A request as it came in. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A refusal as the API words it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** One thing that the API can do: its path below the account's, with the groups that `answer` gets. */
export interface Endpoint {
  readonly method: string;
  readonly path: RegExp;
  answer(call: Call, ...groups: readonly string[]): unknown;
}

/** The form in a call's body. */
export function formOf({ headers, body }: Call): Promise<FormData> {
  const type = headers.get('content-type') ?? '';
  return new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
}

export const jsonOf = ({ body }: Call): unknown => JSON.parse(body.toString('utf8'));

/** A token that looks like one of the platform's: three parts, and not yet expired. */
export function newJwt(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600, id: randomUUID() })}.x`;
}

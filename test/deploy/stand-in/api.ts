import { randomUUID } from 'node:crypto';

/** The only token that the stand-in accepts. */
export const ACCOUNT = 'ac'.repeat(16);
export const TOKEN = 'a-token-of-the-stand-in';
/** The account's subdomain of workers.dev. */
export const SUBDOMAIN = 'kennel';

/** A received request. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** An error as the API reports it. */
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

/** An endpoint of the API: its path below the account's, whose groups `answer` receives. */
export interface Endpoint {
  readonly method: string;
  readonly path: RegExp;
  answer(call: Call, ...groups: readonly string[]): unknown;
}

/** Parses the form in a call's body. */
export function formOf({ headers, body }: Call): Promise<FormData> {
  const type = headers.get('content-type') ?? '';
  return new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
}

export const jsonOf = ({ body }: Call): unknown => JSON.parse(body.toString('utf8'));

/** A token in the platform's format: three parts, not expired. */
export function newJwt(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600, id: randomUUID() })}.x`;
}

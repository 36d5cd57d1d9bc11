import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ACCOUNT, ApiError, type Call, type Endpoint, TOKEN } from './api.ts';
import { Buckets } from './buckets.ts';
import { Workers } from './workers.ts';

const API = '/client/v4';
const OF_ACCOUNT = `${API}/accounts/${ACCOUNT}`;
const account = { id: ACCOUNT, name: 'Kennel' };
const PAGE = { page: 1, per_page: 50, count: 1, total_count: 1, total_pages: 1 };

/** Where the tests send requests to `*.workers.dev`; see closed-network.ts. */
const PREVIEW_PATH = '/preview';

/** Calls to refuse. */
export interface Refusal {
  readonly method: string;
  /** Matches the path below the account's. */
  readonly path: RegExp;
  readonly status: number;
  readonly code: number;
  readonly message: string;
  /** How often; default: always. */
  readonly times?: number;
}

/**
 * A strict stand-in on 127.0.0.1 for the part of Cloudflare's API that a deployment calls. It responds with 404 to
 * anything else, and records it.
 */
export class StandIn {
  readonly calls: Call[] = [];
  readonly unknown: string[] = [];
  readonly workers: Workers;
  readonly buckets: Buckets;
  #refusals: { refusal: Refusal; left: number }[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #port = 0;

  /** @param persistTo where the buckets are stored, as for `wrangler dev --persist-to` */
  constructor(persistTo: string) {
    this.buckets = new Buckets(persistTo);
    this.workers = new Workers((name) => this.buckets.names.has(name));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
  }

  /** The variables that make wrangler call this instead of Cloudflare. */
  get environment(): Record<string, string> {
    const url = `http://127.0.0.1:${this.#port}`;
    return {
      CLOUDFLARE_API_BASE_URL: `${url}${API}`,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      // Otherwise wrangler checks whether each preview's address requires a login.
      CLOUDFLARE_ACCESS_CLIENT_ID: 'none',
      CLOUDFLARE_ACCESS_CLIENT_SECRET: 'none',
      STAND_IN_PREVIEW: `${url}${PREVIEW_PATH}`,
      NODE_OPTIONS: `--import ${new URL('closed-network.ts', import.meta.url)}`,
    };
  }

  refuse(refusal: Refusal): void {
    this.#refusals.push({ refusal, left: refusal.times ?? Number.POSITIVE_INFINITY });
  }

  /** Stops refusing calls and forgets the recorded ones. */
  reset(): void {
    this.#refusals = [];
    this.calls.length = 0;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.buckets.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    const { method = '' } = request;
    const call = { method, path: pathname, query: searchParams, headers, body: Buffer.concat(chunks) };
    if (pathname.startsWith(PREVIEW_PATH)) {
      const answer = await this.buckets.askPreview({
        ...call,
        path: pathname.slice(PREVIEW_PATH.length) || '/',
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
      return;
    }
    this.calls.push(call);
    const { status, body } = await this.#answer(call);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  async #answer(call: Call): Promise<{ status: number; body: object }> {
    try {
      const result = await this.#find(call);
      const list = Array.isArray(result) ? { result_info: PAGE } : {};
      return { status: 200, body: { success: true, errors: [], messages: [], result, ...list } };
    } catch (error) {
      const { status, code, message } =
        error instanceof ApiError ? error : { status: 400, code: 10021, message: `stand-in: ${error}` };
      return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
    }
  }

  #find(call: Call): unknown {
    const token = call.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
    if (token !== TOKEN && !this.workers.takesAssetsWith(token)) throw new ApiError(401, 10000, 'Authentication error');
    const path = call.path.replace(OF_ACCOUNT, '');
    const refused = this.#refusals.find(
      (each) => each.left > 0 && each.refusal.method === call.method && each.refusal.path.test(path),
    );
    if (refused) {
      refused.left -= 1;
      throw new ApiError(refused.refusal.status, refused.refusal.code, refused.refusal.message);
    }
    for (const { method, path: pattern, answer } of this.#endpoints) {
      const match = method === call.method ? pattern.exec(path) : null;
      if (match) return answer(call, ...match.slice(1));
    }
    this.unknown.push(`${call.method} ${call.path}`);
    throw new ApiError(404, 7003, `Could not route to ${call.path}`);
  }

  get #endpoints(): readonly Endpoint[] {
    const identity: Endpoint[] = [
      {
        method: 'GET',
        path: /^\/client\/v4\/user\/tokens\/verify$/,
        answer: () => ({ id: 'token', status: 'active' }),
      },
      { method: 'GET', path: /^\/client\/v4\/user$/, answer: () => ({ email: 'owner@example.org' }) },
      { method: 'GET', path: /^\/client\/v4\/accounts$/, answer: () => [account] },
      { method: 'GET', path: /^\/client\/v4\/memberships$/, answer: () => [{ id: 'membership', account }] },
    ];
    return [...identity, ...this.buckets.endpoints, ...this.workers.endpoints];
  }
}

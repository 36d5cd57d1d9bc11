import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { type CountedAnswer, toDataPoint } from '../../src/counted-answer.ts';

/** A data point that Analytics Engine has kept. */
export interface Kept {
  readonly answer: CountedAnswer;
  /** When it was written, in seconds before now. */
  readonly age: number;
  /** How many data points it stands for. */
  readonly interval?: number;
}

/**
 * A local stand-in for the SQL API of Workers Analytics Engine, for tests without an account. SQLite runs the queries;
 * the few expressions that it lacks are rewritten. It knows nothing of what Cloudflare's SQL refuses.
 */
export class AnalyticsStandIn {
  readonly #database = new DatabaseSync(':memory:');
  readonly #server = createServer((request, response) => {
    this.#answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });
  /** The queries that it received. */
  readonly queries: string[] = [];

  constructor(dataset: string, kept: readonly Kept[]) {
    const blobs = Array.from({ length: 6 }, (_, index) => `blob${index + 1}`);
    const columns = ['timestamp', '_sample_interval', 'index1', ...blobs, 'double1'];
    this.#database.exec(`CREATE TABLE ${dataset} (${columns.join()})`);
    const insert = this.#database.prepare(`INSERT INTO ${dataset} VALUES (${columns.map(() => '?').join()})`);
    const now = Math.floor(Date.now() / 1_000);
    for (const { answer, age, interval = 1 } of kept) {
      const point = toDataPoint(answer);
      insert.run(now - age, interval, ...point.indexes, ...point.blobs, ...point.doubles);
    }
  }

  /** The environment of a command that uses it. */
  async start(): Promise<Record<string, string>> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}`,
      CLOUDFLARE_ACCOUNT_ID: 'account',
      CLOUDFLARE_API_TOKEN: 'token',
    };
  }

  stop(): void {
    this.#server.close();
    this.#database.close();
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    if (request.url !== '/accounts/account/analytics_engine/sql') return { status: 404, body: 'no such account' };
    if (request.headers.authorization !== 'Bearer token') return { status: 403, body: 'Authentication error' };
    const sql = (await Array.fromAsync(request.setEncoding('utf8'))).join('');
    this.queries.push(sql);
    const now = Math.floor(Date.now() / 1_000);
    const translated = sql
      .replaceAll(/NOW\(\) - INTERVAL '(\d+)' HOUR/g, (_, hours) => String(now - Number(hours) * 3_600))
      .replaceAll('toUInt32(timestamp)', 'timestamp')
      .replaceAll('COUNT()', 'COUNT(*)')
      .replace('FORMAT JSON', '');
    try {
      const rows = this.#database.prepare(translated).all();
      // Like ClickHouse, it writes 64-bit integers as strings.
      const quote = (name: string, value: unknown) => (name === 'answers' || name === 'points' ? String(value) : value);
      const data = rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, quote(name, value)])),
      );
      return { status: 200, body: JSON.stringify({ meta: [], data, rows: data.length }) };
    } catch (error) {
      return { status: 422, body: String(error) };
    }
  }
}

import * as z from 'zod';
import { COLUMNS, CountedAnswer } from '../src/counted-answer.ts';
import type { Count } from './counts.ts';

/** Access to Workers Analytics Engine. */
export interface Account {
  readonly id: string;
  /** A token with the permission Account Analytics: Read. */
  readonly token: string;
  /** The address of Cloudflare's API. */
  readonly api: string;
}

/**
 * The account in these variables, which are wrangler's.
 *
 * @throws {Error} one is missing
 */
export function readAccount(variables: Readonly<Record<string, string | undefined>>): Account {
  const { CLOUDFLARE_ACCOUNT_ID: id, CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_API_BASE_URL: api } = variables;
  if (!id || !token) throw new Error('set CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN, or pass --log FILE');
  return { id, token, api: api ?? 'https://api.cloudflare.com/client/v4' };
}

const WEEK = 7 * 86_400;

/** Large numbers arrive as strings. */
const number = z.coerce.number().min(0);
const Row = z.object({
  ...CountedAnswer.pick({ version: true, role: true, code: true, label: true }).shape,
  score: z.coerce.number().pipe(CountedAnswer.shape.score),
  answers: number,
  points: number,
});

/** Answers by outcome. Each row that is kept stands for `_sample_interval` answers. */
const select = (dataset: string, condition: string) => `SELECT
  ${COLUMNS.version} AS version, ${COLUMNS.role} AS role, ${COLUMNS.code} AS code, ${COLUMNS.label} AS label,
  ${COLUMNS.score} AS score, SUM(_sample_interval) AS answers, COUNT() AS points
FROM ${dataset}
WHERE ${condition}
GROUP BY version, role, code, label, score
FORMAT JSON`;

/** The answers of the last hours. */
export const recentQuery = (dataset: string, hours: number): string =>
  select(dataset, `timestamp >= NOW() - INTERVAL '${hours}' HOUR`);

/** The first second in which a version answered. */
export const firstQuery = (dataset: string, version: string): string =>
  `SELECT MIN(toUInt32(timestamp)) AS first FROM ${dataset} WHERE ${COLUMNS.version} = '${version}' FORMAT JSON`;

/** The answers of a version in its first week, without those of the last hours. */
export const firstWeekQuery = (dataset: string, version: string, first: number, hours: number): string =>
  select(
    dataset,
    `${COLUMNS.version} = '${version}' AND toUInt32(timestamp) < ${first + WEEK}
  AND timestamp < NOW() - INTERVAL '${hours}' HOUR`,
  );

export async function fetchRecent(account: Account, dataset: string, hours: number): Promise<readonly Count[]> {
  return fetchRows(account, recentQuery(dataset, hours), Row);
}

export async function fetchFirstWeek(
  account: Account,
  dataset: string,
  version: string,
  hours: number,
): Promise<readonly Count[]> {
  const [start] = await fetchRows(account, firstQuery(dataset, version), z.object({ first: number }));
  return start ? fetchRows(account, firstWeekQuery(dataset, version, start.first, hours), Row) : [];
}

/** @throws {Error} the API refuses the query */
async function fetchRows<T>({ id, token, api }: Account, sql: string, schema: z.ZodType<T>): Promise<T[]> {
  const response = await fetch(`${api}/accounts/${id}/analytics_engine/sql`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: sql,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Analytics Engine answers ${response.status}: ${text.slice(0, 500)}`);
  return z.object({ data: z.array(schema) }).parse(JSON.parse(text)).data;
}

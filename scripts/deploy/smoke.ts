import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { drawPicture } from './picture.ts';
import { type Done, reasonOf, StepFailed } from './progress.ts';

interface SmokeTest {
  /** The address of the service. */
  readonly address: string;
  /** The version of the model that it must serve, 64 hex digits. */
  readonly version: string;
  readonly token: string | undefined;
  /** Whether predictions require a token. */
  readonly closed: boolean;
  /** How long to wait for a new address and for isolates to follow the channel, in milliseconds. */
  readonly wait: number;
  /** What to do if it fails. */
  readonly advice: readonly string[];
}

/** The limit for one response, in milliseconds. */
const ANSWER_TIMEOUT = 30_000;
const PAUSE = 2_000;

const Health = z.object({ status: z.string(), reason: z.object({ code: z.string() }).optional() });
const Model = z.object({ digest: z.string() });
const Prediction = z.object({ label: z.string(), model: z.object({ version: z.string() }) });

/** The service responded with something else than expected. */
class Unexpected extends Error {}

/**
 * Uses the service as a visitor does: its health, its model, a prediction, the page. Repeats until all are as expected.
 *
 * @throws {StepFailed} time is up
 */
export async function smokeTest(test: SmokeTest): Promise<Done<void>> {
  const deadline = Date.now() + test.wait;
  for (;;) {
    try {
      return { value: undefined, said: await visit(test) };
    } catch (cause) {
      const reason = explain(cause);
      if (Date.now() >= deadline) throw new StepFailed(`${test.address}: ${reason}`, test.advice, { cause });
    }
    await setTimeout(Math.min(PAUSE, Math.max(0, deadline - Date.now())));
  }
}

/** Makes one round of requests and describes what it saw. */
async function visit({ address, version, token, closed }: SmokeTest): Promise<string> {
  const { status, reason } = Health.parse(await request(address, '/api/health'));
  if (status !== 'ok') throw new Unexpected(`/api/health reports ${status} (${reason?.code ?? 'no reason'})`);
  const { digest } = Model.parse(await request(address, '/api/model'));
  if (digest !== version)
    throw new Unexpected(`/api/model has ${digest.slice(0, 12)}, not ${version.slice(0, 12)}`);
  const seen = ['health', 'model', 'page'];
  if (!closed || token !== undefined) seen.push(`a drawing is "${await predict(address, version, token)}"`);
  const page = await fetch(new URL('/', address), { signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
  const html = await page.text();
  if (!page.ok || !html.includes('<html')) throw new Unexpected(`the page responds with ${page.status}`);
  return closed && token === undefined
    ? `${seen.join(', ')}; no prediction without --token`
    : seen.join(', ');
}

async function predict(address: string, version: string, token: string | undefined): Promise<string> {
  const headers = { 'Content-Type': 'image/png', ...(token && { Authorization: `Bearer ${token}` }) };
  const body = new Uint8Array(drawPicture());
  const answer = Prediction.parse(await request(address, '/api/predict', { method: 'POST', headers, body }));
  if (!version.startsWith(answer.model.version))
    throw new Unexpected(`/api/predict used ${answer.model.version}`);
  return answer.label;
}

async function request(address: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(new URL(path, address), {
    ...init,
    signal: AbortSignal.timeout(ANSWER_TIMEOUT),
  });
  const text = await response.text();
  if (!response.ok) throw new Unexpected(`${path} responds with ${response.status} ${codeIn(text)}`.trim());
  return JSON.parse(text);
}

const codeIn = (text: string) => /"code":\s*"([a-z_]+)"/.exec(text)?.[1] ?? '';

function explain(error: unknown): string {
  if (error instanceof Unexpected) return error.message;
  if (error instanceof Error && error.cause instanceof Error)
    return `${error.message}: ${error.cause.message}`;
  return reasonOf(error);
}

import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { drawPicture } from './picture.ts';
import { type Done, StepFailed } from './progress.ts';

export interface SmokeTest {
  /** Where the service answers. */
  readonly address: string;
  /** The version of the model that it has to serve, 64 hex digits. */
  readonly version: string;
  readonly token: string | undefined;
  /** Whether it answers predictions only with a token. */
  readonly closed: boolean;
  /** How long a new address may take to answer, and isolates to follow the channel; in milliseconds. */
  readonly wait: number;
  /** What to do when it fails. */
  readonly advice: readonly string[];
}

/** The longest that one answer may take. */
const ANSWER_TIMEOUT = 30_000;
const PAUSE = 2_000;

const Health = z.object({ status: z.string(), reason: z.object({ code: z.string() }).optional() });
const Model = z.object({ digest: z.string() });
const Prediction = z.object({ label: z.string(), model: z.object({ version: z.string() }) });

/** A look at the service that did not show what it should. */
class Unexpected extends Error {}

/**
 * Asks the service as a visitor does, again and again until it answers rightly: its health, its model, a prediction, the
 * page.
 *
 * @throws {StepFailed} it does not in the time that is given
 */
export async function smokeTest(test: SmokeTest): Promise<Done<void>> {
  const deadline = Date.now() + test.wait;
  for (;;) {
    try {
      return { value: undefined, said: await look(test) };
    } catch (cause) {
      const reason = reasonOf(cause);
      if (Date.now() >= deadline) throw new StepFailed(`${test.address}: ${reason}`, test.advice, { cause });
    }
    await setTimeout(Math.min(PAUSE, Math.max(0, deadline - Date.now())));
  }
}

/** One round of questions: what was seen. */
async function look({ address, version, token, closed }: SmokeTest): Promise<string> {
  const { status, reason } = Health.parse(await ask(address, '/api/health'));
  if (status !== 'ok') throw new Unexpected(`/api/health says ${status} (${reason?.code ?? 'no reason'})`);
  const { digest } = Model.parse(await ask(address, '/api/model'));
  if (digest !== version)
    throw new Unexpected(`/api/model has ${digest.slice(0, 12)}, not ${version.slice(0, 12)}`);
  const seen = ['health', 'model', 'page'];
  if (!closed || token !== undefined) seen.push(`a drawing is "${await predict(address, version, token)}"`);
  const page = await fetch(new URL('/', address), { signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
  const html = await page.text();
  if (!page.ok || !html.includes('<html')) throw new Unexpected(`the page answers ${page.status}`);
  return closed && token === undefined ? `${seen.join(', ')}; no --token, so no prediction` : seen.join(', ');
}

async function predict(address: string, version: string, token: string | undefined): Promise<string> {
  const headers = { 'Content-Type': 'image/png', ...(token && { Authorization: `Bearer ${token}` }) };
  const body = new Uint8Array(drawPicture());
  const answer = Prediction.parse(await ask(address, '/api/predict', { method: 'POST', headers, body }));
  if (!version.startsWith(answer.model.version))
    throw new Unexpected(`/api/predict is by ${answer.model.version}`);
  return answer.label;
}

async function ask(address: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(new URL(path, address), {
    ...init,
    signal: AbortSignal.timeout(ANSWER_TIMEOUT),
  });
  const text = await response.text();
  if (!response.ok) throw new Unexpected(`${path} answers ${response.status} ${codeIn(text)}`.trim());
  return JSON.parse(text);
}

const codeIn = (text: string) => /"code":\s*"([a-z_]+)"/.exec(text)?.[1] ?? '';

function reasonOf(error: unknown): string {
  if (error instanceof Unexpected) return error.message;
  if (error instanceof Error && error.cause instanceof Error)
    return `${error.message}: ${error.cause.message}`;
  return error instanceof Error ? error.message : String(error);
}

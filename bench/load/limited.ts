import { setTimeout } from 'node:timers/promises';
import { keyOf } from './answers.ts';
import { Connection, type Incoming } from './exchange.ts';
import type { File } from './files.ts';

/** More than the short window takes in two of its periods, fewer than the long one does in one: see wrangler.toml. */
const PHOTOS = 50;

export interface Limited {
  readonly seen: {
    readonly sent: number;
    readonly accepted: number;
    readonly refused: number;
    /** Seconds, as the refusals tell. */
    readonly retryAfter: number;
  };
  /** Whatever was not as it should be. */
  readonly wrong: readonly string[];
}

/** Sends more photos at once than one address may, waits as long as it is told to, and sends one more. */
export async function sendLimited(url: string, photos: readonly File[]): Promise<Limited> {
  const connections = Array.from({ length: PHOTOS }, () => new Connection(url));
  const send = (connection: Connection, i: number): Promise<Incoming> => {
    const photo = photos[i % photos.length];
    if (!photo) throw new Error('There are no pictures to send.');
    const headers = { 'Content-Type': photo.type };
    return connection.send({ method: 'POST', path: '/api/predict', headers, body: photo.bytes });
  };
  try {
    const answers = await Promise.all(connections.map(send));
    const refusals = answers.filter((answer) => keyOf(answer) === '429 rate_limited');
    const accepted = answers.filter(({ status }) => status === 200).length;
    const wrong = answers
      .filter((answer) => answer.status !== 200 && !refusals.includes(answer))
      .map((answer) => `with rate limits: ${keyOf(answer)}`);
    const seconds = refusals.map(({ headers }) => Number(headers['retry-after']));
    const retryAfter = Math.max(0, ...seconds);
    if (refusals.length === 0) wrong.push('with rate limits: nothing was refused');
    if (!seconds.every((each) => Number.isInteger(each) && each > 0)) wrong.push('429 without Retry-After');
    await setTimeout(retryAfter * 1000);
    const [connection] = connections;
    const again = connection && keyOf(await send(connection, 0));
    if (again !== '200') wrong.push(`after Retry-After: ${again}`);
    return { seen: { sent: PHOTOS, accepted, refused: refusals.length, retryAfter }, wrong };
  } finally {
    for (const connection of connections) connection.close();
  }
}

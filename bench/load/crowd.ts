import { setTimeout } from 'node:timers/promises';
import type { Picture } from '../pictures.ts';
import { keyOf } from './answers.ts';
import { Connection } from './exchange.ts';

/** After an answer that is none, in milliseconds: longer than nothing, so that refusals do not drown the answers. */
const PAUSE = 100;

/** Clients that send photos one after the other, and hold each answer against those that are right. */
export class Crowd {
  /** How often each answer came: `200`, `503 model_unavailable`, `connection lost`. */
  readonly counts: Record<string, number> = {};
  /** Whatever was not as it should be. */
  readonly wrong = new Set<string>();
  readonly #photos: readonly Picture[];
  readonly #right: ReadonlyMap<Picture, ReadonlySet<string>>;
  readonly #clients: Promise<void>[] = [];
  #over = false;

  /** @param right the answers that each photo may get, whole */
  constructor(right: ReadonlyMap<Picture, ReadonlySet<string>>) {
    this.#photos = [...right.keys()];
    this.#right = right;
  }

  /** @param origin where the service is; asked whenever a client connects */
  start(clients: number, origin: () => Promise<string>): void {
    for (let i = 0; i < clients; i++) this.#clients.push(this.#client(i, origin));
  }

  /** Lets every client get its last answer. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
  }

  async #client(number: number, origin: () => Promise<string>): Promise<void> {
    let connection = new Connection(await origin());
    for (let sent = number; !this.#over; sent += 7) {
      const photo = this.#photos[sent % this.#photos.length];
      if (!photo) throw new Error('There are no pictures to send.');
      const key = await this.#send(connection, photo);
      this.counts[key] = (this.counts[key] ?? 0) + 1;
      if (key === '200') continue;
      await setTimeout(PAUSE);
      if (key !== 'connection lost') continue;
      connection.close();
      connection = new Connection(await origin().catch(() => 'http://127.0.0.1:1'));
    }
    connection.close();
  }

  async #send(connection: Connection, photo: Picture): Promise<string> {
    const headers = { 'Content-Type': photo.type };
    try {
      const answer = await connection.send({
        method: 'POST',
        path: '/api/predict',
        headers,
        body: photo.bytes,
      });
      const key = keyOf(answer);
      if (key !== '200' && !/^[1-9]\d*$/.test(answer.headers['retry-after'] ?? '')) {
        this.wrong.add(`${key} without Retry-After`);
      }
      const body = answer.body.toString();
      if (key === '200' && !this.#right.get(photo)?.has(body)) {
        this.wrong.add(`${photo.name}: ${body.slice(0, 160)}`);
      }
      return key;
    } catch {
      return 'connection lost';
    }
  }
}

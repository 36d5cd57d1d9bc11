import * as z from 'zod';
import { parseConfig } from '../../src/config.ts';
import { ATTACKS } from '../../test/soak/costly/attacks.ts';
import { cpuMilliseconds } from '../cpu.ts';
import { Client, textOf } from '../request.ts';
import { defineSection } from '../section.ts';
import { round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

/** US dollars per million requests and per million CPU milliseconds; see docs/benchmarks.md. */
const TARIFF = { requests: 0.3, cpuMilliseconds: 0.02 } as const;

const UNLIMITED = { MAX_DECODE_MS: '600000', MAX_REQUEST_DECODE_MS: '600000' };
const WARM_UP = 20;
const MINUTES_PER_DAY = 1440;
const { SUSTAINED_PHOTOS, SUSTAINED_SECONDS, MAX_DECODE_MS } = parseConfig({});

const Cost = z.object({ status: z.number(), cpuMilliseconds: z.number() });
const Row = z.object({ name: z.string(), bytes: z.number(), unlimited: Cost, limited: Cost });

type Row = z.infer<typeof Row>;

/** What hostile files cost, with the limits on decoding time and without. */
export const attacks = defineSection({
  name: 'attacks',
  schema: z.object({ rows: z.array(Row) }),

  async measure({ album, progress }) {
    const [photo] = await album.pick(['JPEG 512 px']);
    progress.show('attacks: starting workerd');
    const store = await createStore();
    try {
      const files = ATTACKS.map(({ name, draw }) => ({ name, bytes: draw() }));
      const modules = await bundle('src/index.ts');
      const measure = async (vars: Readonly<Record<string, string>>) => {
        const workerd = await startWorkerd(modules, store, { vars });
        const client = new Client(workerd.url);
        for (let i = 0; i < WARM_UP; i++) textOf(await client.post('/api/predict', photo));
        const costs: z.infer<typeof Cost>[] = [];
        for (const { name, bytes } of files) {
          progress.show('attacks', name);
          const before = cpuMilliseconds(workerd.pid);
          const { status } = await client.post('/api/predict', { bytes: Buffer.from(bytes), type: 'image/png' });
          costs.push({ status, cpuMilliseconds: round(cpuMilliseconds(workerd.pid) - before) });
        }
        await workerd.stop();
        return costs;
      };
      const [unlimited, limited] = [await measure(UNLIMITED), await measure({})];
      const none = { status: 0, cpuMilliseconds: 0 };
      const rows = files.map(({ name, bytes }, i): Row => {
        return { name, bytes: bytes.length, unlimited: unlimited[i] ?? none, limited: limited[i] ?? none };
      });
      return { rows };
    } finally {
      await store.remove();
    }
  },

  report({ rows }) {
    const perMillion = ({ cpuMilliseconds }: Row['limited']) =>
      TARIFF.requests + TARIFF.cpuMilliseconds * cpuMilliseconds;
    const dollars = (value: number) => `$${value.toFixed(2)}`;
    const kilobytes = (bytes: number) => (bytes / 1000).toLocaleString('en', { maximumFractionDigits: 1 });
    const most = (key: 'unlimited' | 'limited') => Math.max(...rows.map((row) => perMillion(row[key])));
    const perDay = (SUSTAINED_PHOTOS * MINUTES_PER_DAY * 60) / SUSTAINED_SECONDS;
    const daily = (perMillionPhotos: number) => dollars((perMillionPhotos * perDay) / 1e6);
    // A photo counts once for each third of the longest decoding.
    const bound = TARIFF.requests + (TARIFF.cpuMilliseconds * MAX_DECODE_MS) / 3;
    return {
      tables: [
        table(
          ['file', 'KB', 'CPU ms before', '$ per million', 'CPU ms after', 'status', '$ per million'],
          rows.map((row) => [
            row.name,
            kilobytes(row.bytes),
            row.unlimited.cpuMilliseconds.toFixed(0),
            dollars(perMillion(row.unlimited)),
            row.limited.cpuMilliseconds.toFixed(0),
            String(row.limited.status),
            dollars(perMillion(row.limited)),
          ]),
        ),
        `Before: with \`MAX_DECODE_MS\` and \`MAX_REQUEST_DECODE_MS\` at their maximum. The costliest file is ${dollars(most('unlimited'))} per million before and ${dollars(most('limited'))} after. Within the rate limits, one address costs at most ${daily(most('unlimited'))} a day before. After, whatever it sends, it costs about ${daily(bound)}: a photo counts once for each third of \`MAX_DECODE_MS\`.`,
      ],
    };
  },
});

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { writeAsFloat32 } from '../float32.ts';
import type { Picture } from '../pictures.ts';
import { BENCH, installDependencies, type Server, serveNode, servePython } from '../processes.ts';
import { Client, textOf } from '../request.ts';
import { defineSection, slug } from '../section.ts';
import { median, percentile, round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const [RUNS, WARM_UP] = [40, 6];

/** Limits for the ratios of medians: the Worker to native code (12 MP, any other), and the original to the Worker. */
const GOALS = { phone: 'JPEG 12 MP', phoneToNative: 1.5, toNative: 2, originalToWorker: 3 } as const;

const CONTENDERS = {
  worker: { name: 'Worker', colour: COLOURS.blue },
  native: { name: 'sharp + ORT', colour: COLOURS.green },
  original: { name: 'Pillow + Keras', colour: COLOURS.vermilion },
} as const;
type Contender = keyof typeof CONTENDERS;
const NAMES = ['worker', 'native', 'original'] as const satisfies readonly Contender[];

/** Milliseconds. */
const Times = z.object({ median: z.number(), p95: z.number() });

const Row = z.object({
  picture: z.string(),
  bytes: z.number(),
  worker: Times,
  native: Times,
  original: Times,
});
type Row = z.infer<typeof Row>;

/** Latency over HTTP, warm, one request at a time. The contenders alternate, so a disturbance affects all of them. */
export const speed = defineSection({
  name: 'speed',
  schema: z.object({
    runs: z.number(),
    rows: z.array(Row),
  }),

  async measure({ album, progress, runs = RUNS }) {
    const pictures = await album.pick(['JPEG 12 MP', 'JPEG 3 MP', 'JPEG 800 px', 'PNG 800 px', 'WebP 800 px']);
    progress.show('speed: starting the servers');
    await installDependencies();
    const store = await createStore();
    const model = await writeAsFloat32();
    const servers: Server[] = [];
    try {
      servers.push(await startWorkerd(await bundle('src/index.ts'), store));
      servers.push(await serveNode([join(BENCH, 'native', 'server.js'), join(model, 'graph.onnx')]));
      servers.push(await servePython([join(BENCH, 'original.py'), 'model/huskymodel.h5']));
      const clients = servers.map(({ url }) => new Client(url));
      const rows: Row[] = [];
      for (const [index, picture] of pictures.entries()) {
        progress.show('speed', `picture ${index + 1} of ${pictures.length}`);
        rows.push(await measurePicture(picture, clients, runs));
      }
      return { runs, rows };
    } finally {
      for (const server of servers.toReversed()) await server.stop();
      await store.remove();
      await rm(model, { recursive: true, force: true });
    }
  },

  report({ runs, rows }) {
    const count = (isMet: (row: Row) => boolean) => rows.filter(isMet).length;
    const isNear = (row: Row) => ratio(row, 'worker', 'native') <= limitOf(row);
    const isFar = (row: Row) => ratio(row, 'original', 'worker') >= GOALS.originalToWorker;
    return {
      tables: [
        table(
          [
            'median / p95, ms',
            'MB',
            ...NAMES.map((name) => CONTENDERS[name].name),
            'Worker : sharp',
            'Pillow : Worker',
          ],
          rows.map((row) => [
            row.picture,
            (row.bytes / 1e6).toFixed(1),
            ...NAMES.map((name) => `${row[name].median.toFixed(1)} / ${row[name].p95.toFixed(1)}`),
            ratio(row, 'worker', 'native').toFixed(2),
            ratio(row, 'original', 'worker').toFixed(2),
          ]),
        ),
        `${runs} runs. At most ${GOALS.toNative} times sharp's time (${GOALS.phone}: ${GOALS.phoneToNative}): ${count(isNear)} of ${rows.length} rows. At least ${GOALS.originalToWorker} times as fast as Pillow and Keras: ${count(isFar)} of ${rows.length}.`,
      ],
      figures: Object.fromEntries(
        rows.flatMap((row) => [
          [`${slug(row.picture)}-to-native`, ratio(row, 'worker', 'native').toFixed(2)],
          [`${slug(row.picture)}-original-to-worker`, ratio(row, 'original', 'worker').toFixed(2)],
        ]),
      ),
      charts: {
        speed: {
          title: 'Latency of a prediction',
          subtitle: 'median milliseconds of a request on 127.0.0.1, warm, one at a time; shorter is better',
          rows: rows.map(({ picture }) => picture),
          series: NAMES.map((name) => ({ ...CONTENDERS[name], values: rows.map((row) => row[name].median) })),
        },
      },
    };
  },
});

const ratio = (row: Row, over: Contender, under: Contender): number => row[over].median / row[under].median;
const limitOf = ({ picture }: Row) => (picture === GOALS.phone ? GOALS.phoneToNative : GOALS.toNative);

/** @param clients in the order of `NAMES` */
async function measurePicture(picture: Picture, clients: readonly Client[], runs: number): Promise<Row> {
  const times = clients.map((): number[] => []);
  for (let run = -WARM_UP; run < runs; run++) {
    for (const [index, client] of clients.entries()) {
      const answer = await client.post('/api/predict', picture);
      textOf(answer);
      if (run >= 0) times[index]?.push(answer.milliseconds);
    }
  }
  const [worker, native, original] = [0, 1, 2].map((index) => {
    const all = times[index] ?? [];
    return { median: round(median(all)), p95: round(percentile(all, 0.95)) };
  });
  return Row.parse({ picture: picture.name, bytes: picture.bytes.length, worker, native, original });
}

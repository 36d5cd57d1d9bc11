import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { readNetwork } from '../../src/model/classifier.ts';
import type { Network } from '../../src/model/runtime.ts';
import { ROOT, runPython } from '../processes.ts';
import { Client, textOf } from '../request.ts';
import { defineSection, verdict } from '../section.ts';
import { median, percentile, round } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

/** Rounds, and inferences in each request, so that HTTP hardly counts. */
const [RUNS, TIMES] = [120, 5];
const FOLDER = join(ROOT, 'model', '.cache', 'candidates');

/** The candidate with the shape of release 0.1's network, and the served network's time at most, in times of its time. */
const RELEASE_0_1 = '128, 3x3 in blocks 3 and 4 float16';
const BUDGET = 1.6;

/** What `npm run model:candidates` writes. */
const Candidates = z.array(
  z.object({
    name: z.string(),
    file: z.string(),
    input: z.number(),
    bytes: z.number(),
    auc: z.number().nullable(),
  }),
);

/** What `npm run model:train` and `npm run model:compare` measure on the validation photos of unseen sources. */
const Strangers = z.object({ strangers: z.object({ both: z.object({ auc: z.number(), photos: z.number() }) }) });
const Comparison = z.object({ classic: z.object({ strangers: z.object({ auc: z.number() }) }) });

const Row = z.object({
  name: z.string(),
  /** Pixels a side. */
  input: z.number(),
  bytes: z.number(),
  auc: z.number().nullable(),
  /** Milliseconds. */
  median: z.number(),
  p95: z.number(),
});
type Row = z.infer<typeof Row>;

/** The served network beside the original's and the candidates that `npm run model:candidates` makes. */
export const models = defineSection({
  name: 'models',
  schema: z.object({
    runs: z.number(),
    /** Validation photos of unseen sources behind the AUC, and the AUC of the classic network. */
    photos: z.number(),
    classicAuc: z.number(),
    /** The served network first. */
    rows: z.array(Row),
  }),

  async measure({ progress, runs = RUNS }) {
    if (!existsSync(join(FOLDER, 'candidates.json'))) {
      progress.show('models: making the candidates, untrained');
      await runPython(['-m', 'model.training.candidates']);
    }
    const release = await readRelease(RELEASE_FOLDER);
    const { manifest } = release;
    const { strangers } = Strangers.parse(await readJson(join(ROOT, 'model', 'metrics.json')));
    const { classic } = Comparison.parse(await readJson(join(ROOT, 'model', 'comparison.json')));
    const made = Candidates.parse(await readJson(join(FOLDER, 'candidates.json')));
    const networks = [
      {
        name: `served: ${manifest.name}`,
        network: readNetwork(release),
        input: manifest.input.width,
        bytes: Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0),
        auc: strangers.both.auc,
      },
      ...(await Promise.all(
        made.map(async ({ file, ...rest }) => ({ ...rest, network: { graph: await readFile(join(FOLDER, file)) } })),
      )),
    ];
    progress.show('models');
    const times = await timeNetworks(networks, runs);
    const rows = networks.map(({ network: _, ...rest }, i) => ({
      ...rest,
      median: round(median(times[i] ?? []), 2),
      p95: round(percentile(times[i] ?? [], 0.95), 2),
    }));
    return { runs, photos: strangers.both.photos, classicAuc: classic.strangers.auc, rows };
  },

  report({ photos, classicAuc, rows }) {
    const before = rows.find(({ name }) => name === RELEASE_0_1)?.median ?? Number.NaN;
    const ratio = (row: Row | undefined) => (row?.median ?? Number.NaN) / before;
    const [served] = rows;
    const photosText = photos.toLocaleString('en');
    return {
      tables: [
        table(
          ['network', 'input', 'MB', 'median / p95, ms', ': release 0.1', 'AUC'],
          rows.map((row) => [
            row.name,
            String(row.input),
            (row.bytes / 1e6).toFixed(2),
            `${row.median.toFixed(1)} / ${row.p95.toFixed(1)}`,
            ratio(row).toFixed(2),
            row.auc?.toFixed(4) ?? '',
          ]),
        ),
        `AUC on ${photosText} validation photos of unseen sources, of trained networks; the classic network reaches ${classicAuc.toFixed(4)}. The budget for the served network is ${BUDGET} times the time of release 0.1's, which is "${RELEASE_0_1}": ${verdict(Number(ratio(served).toFixed(2)) <= BUDGET)}.`,
      ],
      figures: {
        mb: ((served?.bytes ?? Number.NaN) / 1e6).toFixed(1),
        auc: served?.auc?.toFixed(3) ?? '-',
        'classic-auc': classicAuc.toFixed(3),
        photos: photosText,
      },
    };
  },
});

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** Milliseconds of an inference in each round. The networks alternate, so a disturbance affects all of them. */
async function timeNetworks(
  networks: readonly { readonly network: Network; readonly input: number }[],
  runs: number,
): Promise<number[][]> {
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('bench/worker/models.js'), store);
  const client = new Client(workerd.url);
  const post = async (path: string, bytes: Buffer<ArrayBuffer>) => {
    const answer = await client.post(path, { bytes, type: 'application/octet-stream' });
    textOf(answer);
    return answer.milliseconds;
  };
  const times = networks.map((): number[] => []);
  try {
    for (const [i, { network, input }] of networks.entries()) {
      const { graph, weights = new Uint8Array() } = network;
      await post(`/load/${i}/${input}/${graph.byteLength}`, Buffer.concat([graph, weights]));
    }
    for (let run = 0; run <= runs; run++) {
      for (const i of networks.keys()) {
        const milliseconds = await post(`/run/${i}/${TIMES}`, Buffer.alloc(0));
        if (run > 0) times[i]?.push(milliseconds / TIMES);
      }
    }
    return times;
  } finally {
    await workerd.stop();
    await store.remove();
  }
}

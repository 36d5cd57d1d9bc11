import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { RELEASE_FOLDER } from '../../registry/release.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import { ROOT, runPython } from '../processes.ts';
import type { models } from '../reports/models.ts';
import type { DataOf } from '../reports/report.ts';
import { Client } from '../request.ts';
import type { Options } from '../section.ts';
import { median, percentile, round } from '../statistics.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 120;
/** Inferences a request, so that the request itself hardly counts. */
const TIMES = 5;
const FOLDER = join(ROOT, 'model', '.cache', 'candidates');
const CLASSIC = 'classic';

const Candidates = z.array(
  z.object({
    name: z.string(),
    file: z.string(),
    input: z.number(),
    bytes: z.number(),
    auc: z.number().nullable(),
  }),
);
/** What model:train writes of the validation photos, as far as it is wanted here. */
const Measured = z.object({ validation: z.object({ auc: z.number() }) });
type Candidate = z.infer<typeof Candidates>[number] & { readonly content: Buffer };

/** The model that is served beside the original's and, where model:candidates has made them, the ones it was chosen among. */
export async function measureModels({ progress, runs = RUNS }: Options): Promise<DataOf<typeof models>> {
  if (!existsSync(join(FOLDER, 'candidates.json'))) {
    progress.show('models: making the classic network');
    await runPython(['-m', 'model.training.candidates', '--only-classic']);
  }
  const candidates = [await served(), ...(await readCandidates())];
  progress.show('models: starting workerd');
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('bench/worker/models.js'), store);
  const client = new Client(workerd.url);
  const times = candidates.map((): number[] => []);
  try {
    for (const [place, { input, content, name }] of candidates.entries()) {
      const answer = await client.post(`/load/${place}/${input}`, {
        bytes: content,
        type: 'application/octet-stream',
      });
      if (answer.status !== 200) throw new Error(`${name}: ${answer.body}`);
    }
    // In turns: whatever disturbs the machine disturbs them all.
    for (let run = 0; run <= runs; run++) {
      progress.show('models', `round ${run} of ${runs}`);
      for (const [place, { name }] of candidates.entries()) {
        const empty = { bytes: Buffer.alloc(0), type: 'text/plain' };
        const { status, milliseconds } = await client.post(`/run/${place}/${TIMES}`, empty);
        if (status !== 200) throw new Error(`${name} does not run`);
        if (run > 0) times[place]?.push(milliseconds / TIMES);
      }
    }
  } finally {
    client.close();
    await workerd.stop();
    await store.remove();
  }
  return { runs, rows: rowsOf(candidates, times) };
}

async function served(): Promise<Candidate> {
  const content = await readFile(join(RELEASE_FOLDER, 'model.onnx'));
  const { name, input, metrics } = parseManifest(await readFile(join(RELEASE_FOLDER, 'manifest.json')));
  const measured = Measured.safeParse(metrics);
  const auc = measured.success ? measured.data.validation.auc : null;
  return { name: `served: ${name}`, file: '', input: input.width, bytes: content.length, auc, content };
}

async function readCandidates(): Promise<Candidate[]> {
  const found = Candidates.parse(JSON.parse(await readFile(join(FOLDER, 'candidates.json'), 'utf8')));
  return Promise.all(
    found.map(async (entry) => ({ ...entry, content: await readFile(join(FOLDER, entry.file)) })),
  );
}

function rowsOf(
  candidates: readonly Candidate[],
  times: readonly (readonly number[])[],
): DataOf<typeof models>['rows'] {
  const measured = candidates.map(({ name, input, bytes, auc }, place) => ({
    name,
    input,
    megabytes: round(bytes / 1e6, 2),
    auc,
    milliseconds: round(median(times[place] ?? []), 2),
    p95: round(percentile(times[place] ?? [], 0.95), 2),
  }));
  const classic = measured.find(({ name }) => name === CLASSIC)?.milliseconds ?? Number.NaN;
  return measured.map((row) => ({ ...row, ratio: round(row.milliseconds / classic, 2) }));
}

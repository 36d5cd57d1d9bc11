import { PythonReference } from '../../test/parity/reference.ts';
import type { DataOf } from '../reports/report.ts';
import type { scales } from '../reports/scales.ts';
import { Client } from '../request.ts';
import type { Options } from '../section.ts';
import { mean, median, round } from '../statistics.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

const RUNS = 5;
const SCALES = [1, 2, 4, 8] as const;

interface Sample {
  /** Mean and largest difference of the tensor from Pillow's, in 1/255. */
  readonly tensorMean: number;
  readonly tensorMax: number;
  readonly score: number;
  readonly milliseconds: number;
}

/** What it costs in likeness, and saves in time, to let the JPEG decoder scale down. Pillow decodes at 1/1. */
export async function measureScales({
  album,
  progress,
  runs = RUNS,
}: Options): Promise<DataOf<typeof scales>> {
  const pictures = await album.large();
  progress.show('scales: starting workerd and Keras');
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('bench/worker/scales.js'), store);
  const client = new Client(workerd.url);
  const reference = new PythonReference('model/huskymodel.h5');
  const samples = new Map<number, Sample[]>(SCALES.map((scale) => [scale, []]));
  try {
    for (const [index, picture] of pictures.entries()) {
      const expected = await reference.ask({ file: picture.path });
      for (const scale of SCALES) {
        progress.show('scales', `picture ${index + 1} of ${pictures.length}, 1/${scale}`);
        const times: number[] = [];
        let sample: Omit<Sample, 'milliseconds'> | undefined;
        for (let run = 0; run <= runs; run++) {
          const { status, headers, body, milliseconds } = await client.post(`/bench/scale/${scale}`, picture);
          if (status !== 200) throw new Error(`${picture.name}, 1/${scale}: ${status} ${body}`);
          sample ??= {
            ...compare(body, expected.rgb),
            score: Math.abs(Number(headers['x-score']) - expected.score),
          };
          if (run > 0) times.push(milliseconds);
        }
        if (sample) samples.get(scale)?.push({ ...sample, milliseconds: median(times) });
      }
    }
  } finally {
    reference.close();
    client.close();
    await workerd.stop();
    await store.remove();
  }
  return { pictures: pictures.length, rows: rowsOf(samples) };
}

function compare(body: Buffer, rgb: Uint8Array): { tensorMean: number; tensorMax: number } {
  const tensor = new Float32Array(Uint8Array.from(body).buffer);
  if (tensor.length !== rgb.length) throw new Error(`${tensor.length} values, not ${rgb.length}`);
  let sum = 0;
  let max = 0;
  for (const [i, value] of tensor.entries()) {
    const difference = Math.abs(value * 255 - (rgb[i] ?? 0));
    sum += difference;
    max = Math.max(max, difference);
  }
  return { tensorMean: sum / tensor.length, tensorMax: max };
}

function rowsOf(samples: ReadonlyMap<number, readonly Sample[]>): DataOf<typeof scales>['rows'] {
  return [...samples].map(([scale, all]) => ({
    scale,
    tensorMean: round(mean(all.map(({ tensorMean }) => tensorMean)), 3),
    tensorMax: round(Math.max(...all.map(({ tensorMax }) => tensorMax)), 1),
    scoreMean: round(mean(all.map(({ score }) => score)), 5),
    scoreMax: round(Math.max(...all.map(({ score }) => score)), 5),
    milliseconds: round(median(all.map(({ milliseconds }) => milliseconds))),
  }));
}

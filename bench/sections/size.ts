import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { ROOT } from '../processes.ts';
import { defineSection } from '../section.ts';
import { sum } from '../statistics.ts';
import { table } from '../table.ts';
import { bundle } from '../workerd.ts';

/** The platform's limit for a Worker in bytes, uncompressed. */
const LIMIT = 64 * 2 ** 20;

const PLACES = ['Worker', 'static assets', 'bucket'] as const;

/** Names of the Worker's modules, by file name. */
const MODULES: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, 'script'],
  [/ort-wasm/, 'ONNX Runtime (wasm)'],
  [/photon/, 'photon (wasm)'],
  [/jpeg/, 'libjpeg-turbo (wasm)'],
  [/webp/, 'libwebp (wasm)'],
  [/libheif/, 'libde265 (wasm)'],
  [/av1/, 'dav1d (wasm)'],
  [/avif/, 'libavif (wasm)'],
];

/** Files of static/ that the platform reads and does not serve. */
const NOT_SERVED = ['_headers', '_redirects', '.assetsignore'];

const Part = z.object({
  name: z.string(),
  place: z.enum(PLACES),
  bytes: z.number(),
  /** Each file compressed by itself. */
  gzipBytes: z.number(),
});
type Part = z.infer<typeof Part>;

/** What a deployment uploads, as `wrangler deploy --dry-run` bundles it. */
export const size = defineSection({
  name: 'size',
  schema: z.object({ parts: z.array(Part) }),

  async measure({ progress }) {
    progress.show('size: bundling');
    const modules = Object.entries(await bundle('src/index.ts')).map(([name, { contents }]) =>
      measurePart(MODULES.find(([pattern]) => pattern.test(name))?.[1] ?? name, 'Worker', [contents]),
    );
    const { files } = await readRelease(RELEASE_FOLDER);
    const stored = [...files].map(([name, { bytes }]) => measurePart(name, 'bucket', [bytes]));
    return {
      parts: [...modules, measurePart('page and its files', 'static assets', await readAssets()), ...stored],
    };
  },

  report({ parts }) {
    const worker = parts.filter(({ place }) => place === 'Worker');
    const bytes = sum(worker.map((part) => part.bytes));
    const zipped = sum(worker.map(({ gzipBytes }) => gzipBytes));
    const sorted = PLACES.flatMap((place) =>
      parts.filter((part) => part.place === place).toSorted((a, b) => b.bytes - a.bytes),
    );
    return {
      tables: [
        table(
          ['part', 'goes to', 'KB', 'gzip, KB', 'of the Worker'],
          sorted.map((part) => [
            part.name,
            part.place,
            (part.bytes / 1e3).toFixed(1),
            (part.gzipBytes / 1e3).toFixed(1),
            part.place === 'Worker' ? `${((part.gzipBytes / zipped) * 100).toFixed(0)} %` : '',
          ]),
        ),
        `The Worker takes ${megabytes(bytes)} MB, gzipped ${megabytes(zipped)} MB; the platform's limit is ${megabytes(LIMIT)} MB before compression.`,
      ],
      figures: { 'worker-gzip-mb': megabytes(zipped) },
    };
  },
});

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

async function readAssets(): Promise<Uint8Array[]> {
  const entries = await readdir(join(ROOT, 'static'), { recursive: true, withFileTypes: true });
  const served = entries.filter((entry) => entry.isFile() && !NOT_SERVED.includes(entry.name));
  return Promise.all(served.map(({ parentPath, name }) => readFile(join(parentPath, name))));
}

const measurePart = (name: string, place: Part['place'], files: readonly Uint8Array[]): Part => ({
  name,
  place,
  bytes: sum(files.map(({ byteLength }) => byteLength)),
  gzipBytes: sum(files.map((file) => gzipSync(file).byteLength)),
});

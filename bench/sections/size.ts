import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RELEASE_FOLDER, readRelease } from '../../registry/release.ts';
import { ROOT } from '../processes.ts';
import type { DataOf } from '../reports/report.ts';
import type { Place, size } from '../reports/size.ts';
import type { Options } from '../section.ts';
import { bundle } from '../workerd.ts';

type Part = DataOf<typeof size>['parts'][number];

/** What the Worker's modules are, by their files' names; any other is called by its own. */
const MODULES: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, 'script'],
  [/ort-wasm/, 'ONNX Runtime (wasm)'],
  [/photon/, 'photon (wasm)'],
  [/jpeg/, 'libjpeg-turbo (wasm)'],
  [/webp/, 'libwebp (wasm)'],
];

/** Which files of static/ the platform reads and does not serve. */
const NOT_SERVED = new Set(['_headers', '_redirects', '.assetsignore']);

/** Bytes of what a deployment uploads, as `wrangler deploy --dry-run` bundles it. */
export async function measureSize({ progress }: Options): Promise<DataOf<typeof size>> {
  progress.show('size: bundling');
  const modules = Object.entries(await bundle('src/index.ts'));
  const parts = modules.map(([name, { contents }]) => {
    const title = MODULES.find(([pattern]) => pattern.test(name))?.[1] ?? name;
    return partOf(title, 'worker', [contents]);
  });
  const { files } = await readRelease(RELEASE_FOLDER);
  const stored = [...files].map(([name, contents]) => partOf(name, 'bucket', [contents]));
  return { parts: [...parts, partOf('page and its files', 'assets', await assets()), ...stored] };
}

async function assets(): Promise<Uint8Array[]> {
  const entries = await readdir(join(ROOT, 'static'), { recursive: true, withFileTypes: true });
  const served = entries.filter((entry) => entry.isFile() && !NOT_SERVED.has(entry.name));
  return Promise.all(served.map(({ parentPath, name }) => readFile(join(parentPath, name))));
}

function partOf(name: string, place: Place, files: readonly Uint8Array[]): Part {
  const sum = (of: (file: Uint8Array) => number) => files.reduce((total, file) => total + of(file), 0);
  return {
    name,
    place,
    bytes: sum((file) => file.byteLength),
    gzipBytes: sum((file) => gzipSync(file).byteLength),
  };
}

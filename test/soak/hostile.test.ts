import { expect, test } from 'vitest';
import { bundle, createStore, startWorkerd } from '../../bench/workerd.ts';
import { Client } from './client.ts';
import { craftedFiles, mutatedFiles } from './hostile-files.ts';
import { pickPhotos } from './photos.ts';
import { at, upload } from './requests.ts';

const FILES = 400;
const SEED = 20_260_101;
const SLOWEST = 12;

test('every damaged or malicious file is scored or refused, and none does harm', async () => {
  const photos = await pickPhotos(
    'JPEG 800 px',
    'PNG 800 px',
    'WebP 800 px',
    'GIF 800 px',
    'JPEG 12 MP',
    'JPEG 12 MP progressive',
    'PNG 3840 x 2160',
    'WebP 8 MP',
  );
  const crafted = await craftedFiles(at(photos, 0).bytes, at(photos, 5).bytes);
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('src/index.ts'), store);
  await using client = new Client(workerd.url);
  try {
    const before = await client.send(upload(at(photos, 4)));
    expect(before.status).toBe(200);
    const seen: { file: string; status: number; bytes: number; ms: number }[] = [];
    for (const files of [crafted, mutatedFiles(photos, FILES, SEED)]) {
      for (const { name, statuses, ...file } of files) {
        const begun = performance.now();
        const { status, body } = await client.send(upload(file));
        const ms = Math.round(performance.now() - begun);
        expect.soft(statuses, `${name}: ${status} ${body}`).toContain(status);
        seen.push({ file: name, status, bytes: file.bytes.length, ms });
      }
    }
    const after = await client.send(upload(at(photos, 4)));
    expect(after.body).toEqual(before.body);
    const groups = Object.entries(Object.groupBy(seen, ({ status }) => status));
    console.log(groups.map(([status, files = []]) => `${files.length} x ${status}`).join(', '));
    console.table(seen.toSorted((one, other) => other.ms - one.ms).slice(0, SLOWEST));
  } finally {
    await workerd.stop();
    await store.remove();
  }
});

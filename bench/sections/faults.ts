import { Connection } from '../load/exchange.ts';
import { channelFaults } from '../load/faults/channel.ts';
import { clockFaults } from '../load/faults/clock.ts';
import { processFaults } from '../load/faults/process.ts';
import { storageFaults } from '../load/faults/storage.ts';
import { loadPictures } from '../load/pictures.ts';
import { type Fault, play, type Seen, type Stage } from '../load/scene.ts';
import { type Versions, withVersions } from '../load/versions.ts';
import type { Picture } from '../pictures.ts';
import { faults as report } from '../reports/faults.ts';
import type { DataOf } from '../reports/report.ts';
import type { Options } from '../section.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const PHOTOS = 12;

const FAULTS: readonly Fault[] = [...storageFaults, ...channelFaults, ...clockFaults, ...processFaults];

/** What is done to the Worker, one thing after the other, and what clients see of it. */
export async function measureFaults({ album, progress }: Options): Promise<DataOf<typeof report>> {
  progress.show('faults: preparing');
  const { small } = await loadPictures(album);
  const [large] = await album.pick(['JPEG 12 MP'], /jpeg$/);
  if (!large) throw new Error('There is no picture.');
  const modules = await bundle('bench/worker/faulty.js');
  const store = await createStore();
  try {
    const { seen, wrong } = await withVersions(store, async (versions) => {
      const photos = small.filter((_, i) => i % Math.floor(small.length / PHOTOS) === 0);
      const right = await rightAnswers(modules, store, versions, photos);
      return playAll({ modules, store, versions, right, large }, (name, i) =>
        progress.show(`faults: ${name}`, `${i + 1} of ${FAULTS.length}`),
      );
    });
    if (wrong.length > 0) {
      const { tables } = report.report({ faults: seen });
      throw new Error(`${tables.join('\n\n')}\n\nNot as expected:\n${wrong.join('\n')}`);
    }
    return { faults: seen };
  } finally {
    await store.remove();
  }
}

async function playAll(
  stage: Stage,
  begin: (name: string, i: number) => void,
): Promise<{ readonly seen: Seen[]; readonly wrong: readonly string[] }> {
  const seen: Seen[] = [];
  const wrong: string[] = [];
  for (const [i, fault] of FAULTS.entries()) {
    begin(fault.name, i);
    try {
      const played = await play(stage, fault);
      seen.push(played.seen);
      wrong.push(...played.wrong);
    } catch (error) {
      wrong.push(`${fault.name}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  return { seen, wrong };
}

/** What each photo is answered by the two versions when nothing is wrong. */
export async function rightAnswers(
  modules: Bundle,
  store: Store,
  versions: Versions,
  photos: readonly Picture[],
): Promise<ReadonlyMap<Picture, ReadonlySet<string>>> {
  const right = new Map(photos.map((photo) => [photo, new Set<string>()]));
  for (const version of [versions.first, versions.second]) {
    await versions.promote(version);
    const workerd = await startWorkerd(modules, store);
    const connection = new Connection(workerd.url);
    try {
      for (const photo of photos) {
        const headers = { 'Content-Type': photo.type };
        const request = { method: 'POST', path: '/api/predict', headers, body: photo.bytes };
        const { status, body } = await connection.send(request);
        if (status !== 200) throw new Error(`${photo.name} is answered ${status}`);
        right.get(photo)?.add(body.toString());
      }
    } finally {
      connection.close();
      await workerd.stop();
    }
  }
  return right;
}

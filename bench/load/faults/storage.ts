import type { BucketFaults, Fault, Scene } from '../scene.ts';

const [OK, UNAVAILABLE] = ['200', '503 model_unavailable'];
const DEGRADED = 'degraded model_unavailable';

/** Long enough for the channel to be looked at several times, in milliseconds. */
const A_WHILE = 4_000;

/** A new isolate finds the bucket like this; after a while the bucket is well again. */
const whileNew = (name: string, from: BucketFaults, lasts = A_WHILE): Fault => ({
  name: `${name}; a new isolate`,
  from,
  answers: [UNAVAILABLE, OK],
  health: [`503 model_unavailable`, 'ok'],
  async play(scene) {
    await scene.untilHealth('503 model_unavailable');
    await scene.wait(lasts);
    await scene.faults({});
    const seconds = await scene.untilServed(scene.stage.versions.first);
    // The crowd may still wait for answers from before.
    await scene.until('a photo is scored', async () => (scene.crowd.counts[OK] ?? 0) > 0);
    return `yes: ${seconds} s after the bucket`;
  },
});

/** A version is served, and the channel moves while the bucket is like this; then the bucket is well again. */
const whileMoving = (name: string, faults: BucketFaults): Fault => ({
  name: `${name}; the channel moves`,
  answers: [OK],
  health: [DEGRADED, 'ok'],
  async play(scene) {
    await scene.faults(faults);
    await scene.stage.versions.promote(scene.stage.versions.second);
    await scene.untilHealth(DEGRADED);
    await scene.wait(A_WHILE);
    await scene.faults({});
    return `yes: ${await scene.untilServed(scene.stage.versions.second)} s after the bucket`;
  },
});

/** The fault lasts, and is no obstacle. */
const inSpite = (name: string, faults: BucketFaults, play: Fault['play']): Fault => ({
  name,
  from: faults,
  answers: [OK],
  health: ['ok'],
  play,
});

const followed = async (scene: Scene) => {
  const { first, second } = scene.stage.versions;
  const begun = await scene.untilServed(first);
  await scene.stage.versions.promote(second);
  return `not needed: first answer after ${begun} s, the channel followed after ${await scene.untilServed(second)} s`;
};

/** What can be wrong between the Worker and its bucket. */
export const storageFaults: readonly Fault[] = [
  inSpite('each read takes 2 s', { delay: 2_000 }, followed),
  whileNew('each read takes 30 s', { delay: 30_000 }, 0),
  {
    // The next look at the channel begins before the last has ended: twice this time after it.
    name: 'each read takes 6 s; the channel moves twice',
    vars: { MODEL_LOAD_TIMEOUT: '8000' },
    answers: [OK],
    health: ['ok'],
    async play(scene) {
      const { first, second } = scene.stage.versions;
      await scene.faults({ delay: 6_000 });
      await scene.stage.versions.promote(second);
      const there = await scene.untilServed(second);
      await scene.stage.versions.promote(first);
      const back = await scene.untilServed(first);
      return `not needed: followed after ${there} s and ${back} s`;
    },
  },
  whileNew('every read fails', { failing: 1, of: 1 }),
  whileMoving('every read fails', { failing: 1, of: 1 }),
  inSpite('one read in three fails', { failing: 1, of: 3 }, followed),
  whileNew('half of each file arrives', { files: 'half' }),
  whileMoving('half of each file arrives', { files: 'half' }),
  whileNew('one bit of each file changes on its way', { files: 'damaged' }),
  whileMoving('one bit of each file changes on its way', { files: 'damaged' }),
];

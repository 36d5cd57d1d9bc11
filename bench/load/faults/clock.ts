import type { Fault, Scene } from '../scene.ts';

const DAY = 86_400_000;

/** Long enough for requests of before to end, in milliseconds. */
const A_WHILE = 2_000;

const skewed = (name: string, put: (scene: Scene) => Promise<void>): Fault => ({
  name,
  answers: ['200'],
  health: ['ok'],
  async play(scene) {
    await scene.wait(A_WHILE);
    await put(scene);
    await scene.wait(A_WHILE);
    const { versions } = scene.stage;
    await versions.promote(versions.second);
    return `not needed: the channel was followed after ${await scene.untilServed(versions.second)} s`;
  },
});

/** What can be wrong with the time. */
export const clockFaults: readonly Fault[] = [
  skewed('the clock jumps a day ahead', (scene) => scene.clock(DAY)),
  skewed('the clock jumps a day back', (scene) => scene.clock(-DAY)),
  skewed('the clock jumps to and fro', async (scene) => {
    for (let i = 0; i < 20; i++) {
      await scene.clock(i % 2 === 0 ? -DAY : DAY);
      await scene.wait(100);
    }
  }),
];

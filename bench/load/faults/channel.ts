import { DEFAULT_CHANNEL } from '../../../registry/command.ts';
import { sha256 } from '../../../registry/release.ts';
import { channelKey, modelKey } from '../../../src/model/layout.ts';
import { MemoryWatch } from '../memory-watch.ts';
import type { Fault } from '../scene.ts';

const CHANGEOVERS = 10;
const GOAL = 110_000_000;
const NOWHERE = 'f'.repeat(64);

/** What can be wrong with what is published. */
export const channelFaults: readonly Fault[] = [
  {
    name: `the channel moves ${CHANGEOVERS} times`,
    clients: 32,
    inspect: true,
    vars: { MODEL_REFRESH: '100' },
    answers: ['200'],
    health: ['ok'],
    async play(scene) {
      const { versions } = scene.stage;
      const watch = await MemoryWatch.begin(scene.url, scene.workerd.inspector ?? '', scene.workerd.pid);
      for (let i = 1; i <= CHANGEOVERS; i++) {
        const version = i % 2 === 1 ? versions.second : versions.first;
        await versions.promote(version);
        await scene.untilServed(version);
      }
      const { peak, parts } = await watch.point(0);
      watch.end();
      scene.expect(`${peak} bytes in use are fewer than ${GOAL}`, peak < GOAL);
      const megabytes = (bytes = 0) => (bytes / 1e6).toFixed(1);
      return `not needed: at most ${megabytes(peak)} MB in use, ORT ${megabytes(parts.onnxruntime)} MB in the end`;
    },
  },
  {
    name: 'the channel names a version that does not exist',
    answers: ['200'],
    health: ['ok', 'degraded model_unavailable'],
    async play(scene) {
      const { versions } = scene.stage;
      await versions.bucket.put(channelKey(DEFAULT_CHANNEL), JSON.stringify({ version: NOWHERE }));
      await scene.untilHealth('degraded model_unavailable');
      await versions.promote(versions.second);
      return `yes: ${await scene.untilServed(versions.second)} s after the channel`;
    },
  },
  {
    name: 'a published file is not what was signed',
    answers: ['200'],
    health: ['ok', 'degraded model_untrusted'],
    async play(scene) {
      const { bucket, first, second } = scene.stage.versions;
      const key = modelKey(second, 'model.onnx');
      const whole = Buffer.from((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
      const damaged = Buffer.from(whole);
      damaged[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 1;
      await bucket.put(key, damaged);
      await bucket.put(channelKey(DEFAULT_CHANNEL), JSON.stringify({ version: second }));
      await scene.untilHealth('degraded model_untrusted');
      await bucket.put(key, whole, { sha256: sha256(whole) });
      await scene.stage.versions.promote(first);
      return `yes: ${await scene.untilServed(first)} s after the channel`;
    },
  },
];

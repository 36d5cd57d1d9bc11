import { readAudit } from '../../../registry/audit.ts';
import { checkVersion } from '../../../registry/versions.ts';
import { Connection } from '../exchange.ts';
import { openHandles } from '../process.ts';
import type { Fault, Scene } from '../scene.ts';

const KILLS = 3;
const VANISHING = 300;
const AT_ONCE = 32;
const STANDING = 12;
const LARGE = 8;
/** What the runtime opens in the course of things. */
const SPARE_HANDLES = 12;

async function sound(scene: Scene): Promise<boolean> {
  const { bucket, first, second } = scene.stage.versions;
  const keys = [scene.stage.store.key.publicKey];
  for (const version of [first, second]) await checkVersion(bucket, version, keys);
  return (await readAudit(bucket)).faults.length === 0;
}

/** Uploads of 12 megapixels one after the other: each must be taken, if need be when it comes again as it is told to. */
async function largeOnes(scene: Scene): Promise<string> {
  const { bytes, type } = scene.stage.large;
  const connection = new Connection(scene.url);
  let [taken, refused] = [0, 0];
  for (let i = 0; i < LARGE + refused && refused < LARGE; i++) {
    const request = { method: 'POST', path: '/api/predict', headers: { 'Content-Type': type }, body: bytes };
    const { status, headers } = await connection.send(request);
    if (status === 200) {
      taken++;
    } else {
      refused++;
      await scene.wait(Number(headers['retry-after']) * 1000);
    }
  }
  connection.close();
  scene.expect(`${taken} of ${LARGE} large photos are taken`, taken === LARGE);
  return `${taken} of ${LARGE} photos of 12 MP taken${refused > 0 ? `, ${refused} at the second time` : ''}`;
}

/** Sends a part of a photo of 12 megapixels; then the client goes away, or stays and says nothing more. */
async function abandon(scene: Scene, manner: 'cut' | 'stalled', share: number): Promise<void> {
  const { bytes, type } = scene.stage.large;
  const connection = new Connection(scene.url);
  const outgoing = { method: 'POST', path: '/api/predict', headers: { 'Content-Type': type }, body: bytes };
  const sending =
    manner === 'cut'
      ? connection.send(outgoing, { kind: 'cut', share, after: 5 })
      : connection.send(outgoing, { kind: 'stalled', share });
  await sending.catch(() => {});
  connection.close();
}

/** What can happen to the process, and to those who ask it. */
export const processFaults: readonly Fault[] = [
  {
    name: `workerd is killed ${KILLS} times while the channel moves`,
    answers: ['200', 'connection lost'],
    health: ['ok'],
    async play(scene) {
      const { versions } = scene.stage;
      const times = [];
      for (let i = 1; i <= KILLS; i++) {
        const version = i % 2 === 1 ? versions.second : versions.first;
        const { pid } = await scene.workerd.current();
        const moved = versions.promote(version);
        process.kill(pid, 'SIGKILL');
        await moved;
        await scene.until('workerd is back', async () => {
          await scene.locate();
          return (await scene.look()) === 'ok';
        });
        times.push(await scene.untilServed(version));
        await scene.wait(1_000);
      }
      scene.expect('the bucket is sound', await sound(scene));
      return `yes: the right version ${times.join(', ')} s after the restart, all files and records sound`;
    },
  },
  {
    name: `${VANISHING} clients go away in the middle of 12 MP`,
    clients: 2,
    answers: ['200'],
    mayAnswer: ['503 overloaded'],
    health: ['ok'],
    async play(scene) {
      const before = openHandles(scene.workerd.pid);
      let left = VANISHING;
      const one = async () => {
        while (left-- > 0) await abandon(scene, 'cut', 0.1 + 0.8 * (left / VANISHING));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
      const freed = await scene.until('connections are closed', async () => {
        return openHandles(scene.workerd.pid) <= before + SPARE_HANDLES;
      });
      const taken = await largeOnes(scene);
      return `yes: connections closed after ${freed} s, then ${taken}`;
    },
  },
  {
    name: `${STANDING} clients stand still in the middle of 12 MP`,
    clients: 2,
    answers: ['200'],
    mayAnswer: ['503 overloaded'],
    health: ['ok'],
    async play(scene) {
      const begun = performance.now();
      await Promise.all(Array.from({ length: STANDING }, (_, i) => abandon(scene, 'stalled', i / STANDING)));
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const taken = await largeOnes(scene);
      return `yes: given up after ${seconds} s, then ${taken}`;
    },
  },
];

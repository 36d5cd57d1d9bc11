import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf } from '../../bench/changeover.ts';
import { bundle, createStore, type Store } from '../../bench/workerd.ts';
import { readAudit } from '../../registry/audit.ts';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { sha256 } from '../../registry/release.ts';
import { checkVersion } from '../../registry/versions.ts';
import { parseConfig } from '../../src/config.ts';
import { channelKey, modelKey } from '../../src/model/layout.ts';
import { networkBytes } from '../../src/model/verification.ts';
import { Client, type Manner } from './client.ts';
import { MemoryWatch, megabytes, openHandles } from './memory.ts';
import { loadPhotos, type Photo } from './photos.ts';
import { at, upload } from './requests.ts';
import { Scene, type SceneOptions, type Stage, withStage } from './scene.ts';

const OK = '200';
const UNAVAILABLE = '503 model_unavailable';
const DEGRADED = 'degraded model_unavailable';
const DAY = 86_400_000;
const MEMORY_GOAL = parseConfig({}).ISOLATE_MEMORY_BYTES;

/** Long enough for several checks of the channel, in milliseconds. */
const A_WHILE = 4_000;
/** Files and sockets that the runtime opens in the course of things. */
const SPARE_HANDLES = 12;
/** What JavaScript's heap may grow by in the course of things: a fraction of the model's weights. */
const SPARE_BYTES = 4_000_000;

let stage: Stage;
let large: Photo;
let end: () => Promise<void>;
const report: object[] = [];

beforeAll(async () => {
  const photos = await loadPhotos();
  large = at(
    photos.large.filter(({ photo }) => photo.name === 'JPEG 12 MP'),
    0,
  ).photo;
  const store: Store = await createStore();
  const modules = await bundle('test/soak/worker/faulty.js');
  const done = Promise.withResolvers<void>();
  const every = photos.small.filter((_, i) => i % 4 === Math.floor(i / 4) % 4);
  await new Promise<void>((resolve, reject) => {
    const running = withStage(modules, store, every, async (ready) => {
      stage = ready;
      resolve();
      await done.promise;
    });
    running.catch(reject);
    end = async () => {
      done.resolve();
      await running;
      await store.remove();
    };
  });
});

afterAll(async () => {
  await end?.();
  console.table(report);
});

interface Expected extends SceneOptions {
  /** The answers that clients get, each of them at least once. */
  readonly answers?: readonly string[];
  /** Further answers that clients may get. */
  readonly mayAnswer?: readonly string[];
  /** What the health endpoint reports, each of them at least once. */
  readonly health?: readonly string[];
}

/** Defines a test that breaks something while clients send photos, and checks every answer. */
function fault(name: string, expected: Expected, play: (scene: Scene) => Promise<void>): void {
  const { answers = [OK], mayAnswer = [], health = ['ok'], ...options } = expected;
  test(name, async () => {
    const scene = await Scene.start(stage, options);
    try {
      await play(scene);
      await scene.end();
      const seen = Object.keys(scene.answers).filter((key) => !mayAnswer.includes(key));
      expect(seen.sort()).toEqual([...answers].sort());
      expect([...scene.health].sort()).toEqual([...health].sort());
    } finally {
      await scene.stop();
      const counts = Object.entries(scene.answers).map(([key, count]) => `${count} x ${key}`);
      report.push({ fault: name, answers: counts.join(', '), health: [...scene.health].join(', ') });
    }
  });
}

async function follow(scene: Scene): Promise<void> {
  await scene.untilServed(stage.first);
  await stage.promote(stage.second);
  await scene.untilServed(stage.second);
}

fault('each read takes 2 s', { faults: { delay: 2_000 } }, follow);
fault('one read in three fails', { faults: { failing: 1, of: 3 } }, follow);

// A check of the channel begins before the previous load has ended.
fault('each read takes 6 s while the channel moves twice', { vars: { MODEL_LOAD_TIMEOUT: '8000' } }, async (scene) => {
  await scene.setFaults({ delay: 6_000 });
  for (const version of [stage.second, stage.first]) {
    await stage.promote(version);
    await scene.untilServed(version);
  }
});

const BROKEN = {
  'each read takes 30 s': { delay: 30_000 },
  'every read fails': { failing: 1, of: 1 },
  'half of each file arrives': { files: 'half' },
  'one bit of each file changes': { files: 'damaged' },
};

for (const [name, faults] of Object.entries(BROKEN)) {
  const expected = { faults, answers: [OK, UNAVAILABLE], health: [UNAVAILABLE, 'ok'] };
  fault(`${name} to a new isolate`, expected, async (scene) => {
    await scene.untilHealth(UNAVAILABLE);
    if (!('delay' in faults)) await setTimeout(A_WHILE);
    await scene.setFaults({});
    await scene.untilServed(stage.first);
    // The clients may still be waiting for answers from before.
    await scene.until('a photo is scored', async () => (scene.answers[OK] ?? 0) > 0);
  });
  if ('delay' in faults) continue;
  fault(`${name} while the channel moves`, { health: [DEGRADED, 'ok'] }, async (scene) => {
    await scene.setFaults(faults);
    await stage.promote(stage.second);
    await scene.untilHealth(DEGRADED);
    await setTimeout(A_WHILE);
    await scene.setFaults({});
    await scene.untilServed(stage.second);
  });
}

fault('the channel moves 10 times', { clients: 32, inspect: true, vars: { MODEL_REFRESH: '100' } }, async (scene) => {
  await using watch = await MemoryWatch.start(scene.workerd);
  for (let i = 1; i <= 10; i++) {
    const version = i % 2 === 1 ? stage.second : stage.first;
    await stage.promote(version);
    await scene.untilServed(version);
  }
  // `point` needs an idle isolate. Its peak is from the time before.
  await scene.end();
  const { peak, onnxruntime } = await watch.point();
  expect(peak).toBeLessThan(MEMORY_GOAL);
  console.log(`10 moves of the channel: ${megabytes(peak)} MB at most, ORT ${megabytes(onnxruntime)} MB at the end`);
});

const MOVES = { clients: 0, answers: [], inspect: true, vars: { MODEL_REFRESH: '0' } };

fault('the channel moves 10 times in an idle isolate', MOVES, async (scene) => {
  await using watch = await MemoryWatch.start(scene.workerd);
  const files = networkBytes(stage.store.release.manifest);
  const lasting = [];
  const peaks = [];
  for (let i = 1; i <= 10; i++) {
    const version = i % 2 === 1 ? stage.second : stage.first;
    const steps = await watch.changeover(async () => {
      await stage.promote(version);
      await scene.untilServed(version);
    });
    const [before, after] = [at(steps, 0), at(steps, steps.length - 1)];
    const peak = Math.max(...steps.map(bytesOf));
    // The old session makes room for the new one, so only the new version's files are added.
    expect(peak).toBeLessThan(bytesOf(before) + files + SPARE_BYTES);
    // Their memory is free at once, not only after V8's next garbage collection.
    expect(after.buffers).toBeLessThan(before.buffers + SPARE_BYTES);
    lasting.push((await watch.point()).lasting);
    peaks.push(megabytes(peak));
  }
  expect(at(lasting, 9)).toBeLessThan(at(lasting, 0) + SPARE_BYTES);
  console.log(`10 moves in an idle isolate: ${peaks.join(', ')} MB at most`);
});

fault('the channel names a version that does not exist', { health: [DEGRADED, 'ok'] }, async (scene) => {
  await stage.bucket.put(channelKey(DEFAULT_CHANNEL), JSON.stringify({ version: 'f'.repeat(64) }));
  await scene.untilHealth(DEGRADED);
  await stage.promote(stage.second);
  await scene.untilServed(stage.second);
});

fault('a published file differs from the signed one', { health: ['degraded model_untrusted', 'ok'] }, async (scene) => {
  const { bucket, first, second } = stage;
  const key = modelKey(second, 'weights.bin');
  const whole = Buffer.from((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
  const damaged = Buffer.from(whole);
  damaged[whole.length >> 1] = (whole[whole.length >> 1] ?? 0) ^ 1;
  await bucket.put(key, damaged);
  try {
    await bucket.put(channelKey(DEFAULT_CHANNEL), JSON.stringify({ version: second }));
    await scene.untilHealth('degraded model_untrusted');
  } finally {
    await bucket.put(key, whole, { sha256: sha256(whole) });
  }
  await stage.promote(first);
  await scene.untilServed(first);
});

const CLOCKS = {
  'the clock jumps a day ahead': [DAY],
  'the clock jumps a day back': [-DAY],
  'the clock jumps back and forth': Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? -DAY : DAY)),
};

for (const [name, jumps] of Object.entries(CLOCKS)) {
  // The Worker cannot tell a clock that is set forward from a long pause, so an upload in progress may time out.
  const mayAnswer = Math.max(...jumps) > 0 ? ['408 request_timeout'] : [];
  fault(name, { mayAnswer }, async (scene) => {
    await setTimeout(A_WHILE / 2);
    for (const clock of jumps) {
      await scene.setFaults({ clock });
      await setTimeout(A_WHILE / 2 / jumps.length);
    }
    await stage.promote(stage.second);
    await scene.untilServed(stage.second);
  });
}

fault('workerd is killed 3 times while the channel moves', { answers: [OK, 'connection lost'] }, async (scene) => {
  const { bucket, store, first, second } = stage;
  for (const version of [second, first, second]) {
    const { pid } = await scene.workerd.current();
    const moved = stage.promote(version);
    process.kill(pid, 'SIGKILL');
    await moved;
    await scene.until('workerd is back', async () => {
      await scene.locate();
      return (await scene.checkHealth()) === 'ok';
    });
    await scene.untilServed(version);
    await setTimeout(1_000);
  }
  for (const version of [first, second]) await checkVersion(bucket, version, [store.key.publicKey]);
  expect((await readAudit(bucket)).faults).toEqual([]);
});

/** Sends a part of a 12 megapixel photo; then the client disappears, or sends nothing more. */
async function abandon({ url }: Scene, manner: Manner): Promise<void> {
  await using client = new Client(url);
  await client.send(upload(large), manner).catch(() => {});
}

/** Uploads 12 megapixel photos; the service must take each, though it may ask the client to come back. */
async function uploadLarge({ url }: Scene): Promise<void> {
  await using client = new Client(url);
  let refused = 0;
  for (let taken = 0; taken < 8; ) {
    const { status, headers } = await client.send(upload(large));
    if (status === 200) {
      taken++;
      continue;
    }
    expect(++refused, `${status} again and again`).toBeLessThan(8);
    await setTimeout(Number(headers['retry-after']) * 1000);
  }
}

const CROWDED = { clients: 2, mayAnswer: ['503 overloaded'] };

fault('300 clients disappear in the middle of 12 MP', CROWDED, async (scene) => {
  const before = openHandles(scene.workerd.pid);
  let left = 300;
  const disappear = async () => {
    while (left-- > 0) await abandon(scene, { kind: 'cut', share: 0.1 + 0.8 * (left / 300), after: 5 });
  };
  await Promise.all(Array.from({ length: 32 }, disappear));
  await scene.until('connections are closed', async () => {
    return openHandles(scene.workerd.pid) <= before + SPARE_HANDLES;
  });
  await uploadLarge(scene);
});

fault('12 clients stall in the middle of 12 MP', CROWDED, async (scene) => {
  await Promise.all(Array.from({ length: 12 }, (_, i) => abandon(scene, { kind: 'stalled', share: i / 12 })));
  await uploadLarge(scene);
});

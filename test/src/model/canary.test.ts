import * as ort from 'onnxruntime-web/wasm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { channelKey, modelKey } from '../../../src/model/layout.ts';
import { solidPng } from '../../pictures/png.ts';
import { bucket, newService, raw, type Service } from '../service.ts';
import { newSigner } from './oms/signer.ts';
import { brightness, colour, colourManifest, manifestOf, trap } from './publish.ts';
import { pointAt, putVersion } from './put-version.ts';

/** The next numbers that isolates draw; each is used once. */
let numbers: number[];
let logged: unknown[];

beforeEach(() => {
  numbers = [];
  logged = [];
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    if (array instanceof Uint32Array) array.fill((numbers.shift() ?? Number.NaN) * 2 ** 32);
    return array;
  });
  for (const level of ['log', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((line: string) => void logged.push(JSON.parse(line)));
  }
});

afterEach(async () => {
  vi.restoreAllMocks();
  const { objects } = await bucket.list();
  await bucket.delete(objects.map(({ key }) => key));
});

const WINS = 0.05;
const LOSES = 0.5;

/** A new isolate that reads the channel on every request, and draws these numbers. */
function isolate(...draws: readonly number[]): Service {
  numbers.push(...draws);
  return newService({ MODEL_REFRESH: 0 });
}

const predict = async (service: Service) => service('/api/predict', raw(await solidPng([0, 0, 255])));

async function served(service: Service): Promise<string> {
  const { digest, role } = await (await service('/api/model')).json<{ digest: string; role: string }>();
  return `${role} ${digest}`;
}

/** What the isolate serves after it has read the channel. */
async function servedNext(service: Service): Promise<string> {
  await service('/api/health');
  return served(service);
}

const pointers = {
  candidate: (stable: string, candidate: string, share = 10) =>
    bucket.put(channelKey('production'), JSON.stringify({ version: stable, candidate: { version: candidate, share } })),
  stable: (version: string) => pointAt(bucket, version),
};

const publishStable = async () => putVersion(bucket, await manifestOf(brightness), brightness);
const publishCandidate = async () => putVersion(bucket, await colourManifest(), colour);

const refusals = () =>
  logged.filter((line) => z.looseObject({ candidate: z.literal('refused') }).safeParse(line).success);

async function publishBoth(): Promise<[stable: string, candidate: string]> {
  const versions: [string, string] = [await publishStable(), await publishCandidate()];
  await pointers.candidate(...versions);
  return versions;
}

describe('isolates that load', () => {
  test('serve what they draw, and every answer names its version', async () => {
    const [stable, candidate] = await publishBoth();
    for (const [draw, role, version] of [
      [WINS, 'candidate', candidate],
      [LOSES, 'stable', stable],
    ] as const) {
      const service = isolate(draw);
      const answer = await predict(service);
      expect(answer.headers.get('X-Model-Version')).toBe(version.slice(0, 12));
      expect(await answer.json()).toMatchObject({ model: { version: version.slice(0, 12) } });
      expect(await served(service)).toBe(`${role} ${version}`);
      for (const path of ['/api/model', '/api/health', '/nothing']) {
        expect((await service(path)).headers.get('X-Model-Version')).toBe(version.slice(0, 12));
      }
    }
    expect(refusals()).toEqual([]);
  });

  test('create one session, whatever they draw', async () => {
    await publishBoth();
    const create = vi.spyOn(ort.InferenceSession, 'create');
    for (const draw of [WINS, LOSES]) {
      create.mockClear();
      const service = isolate(draw);
      for (let request = 0; request < 3; request++) await predict(service);
      expect(create).toHaveBeenCalledTimes(1);
    }
  });

  test('ignore a candidate that is not valid', async () => {
    const stable = await publishStable();
    for (const candidate of [
      {},
      'no',
      { version: 'x', share: 10 },
      { version: stable, share: 0 },
      { version: stable },
    ]) {
      await bucket.put(channelKey('production'), JSON.stringify({ version: stable, candidate }));
      expect(await served(isolate())).toBe(`stable ${stable}`);
    }
  });

  test('ignore the candidate if the version is pinned', async () => {
    const [stable] = await publishBoth();
    expect(await served(newService({ MODEL_VERSION: stable }))).toBe(`stable ${stable}`);
  });
});

describe('isolates that run', () => {
  test('draw when a candidate appears', async () => {
    const stable = await publishStable();
    const [winner, loser] = [isolate(), isolate()];
    for (const service of [winner, loser]) await predict(service);
    const candidate = await publishCandidate();
    await pointers.candidate(stable, candidate);
    numbers = [WINS];
    expect(await servedNext(winner)).toBe(`candidate ${candidate}`);
    numbers = [LOSES];
    expect(await servedNext(loser)).toBe(`stable ${stable}`);
  });

  test('keep their draw when only the share changes', async () => {
    const [stable, candidate] = await publishBoth();
    const [winner, loser] = [isolate(WINS), isolate(LOSES)];
    for (const service of [winner, loser]) await predict(service);
    for (const share of [90, 1]) {
      await pointers.candidate(stable, candidate, share);
      expect(await servedNext(winner)).toBe(`candidate ${candidate}`);
      expect(await servedNext(loser)).toBe(`stable ${stable}`);
    }
  });

  test('all serve a promoted candidate; those that had it do not load it again', async () => {
    const [, candidate] = await publishBoth();
    const [winner, loser] = [isolate(WINS), isolate(LOSES)];
    for (const service of [winner, loser]) await predict(service);
    await pointers.stable(candidate);
    const create = vi.spyOn(ort.InferenceSession, 'create');
    expect(await servedNext(winner)).toBe(`stable ${candidate}`);
    expect(create).not.toHaveBeenCalled();
    expect(await servedNext(loser)).toBe(`stable ${candidate}`);
  });

  test('all serve the stable version after an abort', async () => {
    const [stable] = await publishBoth();
    const [winner, loser] = [isolate(WINS), isolate(LOSES)];
    for (const service of [winner, loser]) await predict(service);
    await pointers.stable(stable);
    for (const service of [winner, loser]) expect(await servedNext(service)).toBe(`stable ${stable}`);
  });

  test('all serve the older version after a rollback', async () => {
    const older = await putVersion(bucket, { ...(await manifestOf(brightness)), name: 'older' }, brightness);
    await publishBoth();
    const [winner, loser] = [isolate(WINS), isolate(LOSES)];
    for (const service of [winner, loser]) await predict(service);
    await pointers.stable(older);
    for (const service of [winner, loser]) expect(await servedNext(service)).toBe(`stable ${older}`);
  });

  test('draw again for another candidate', async () => {
    const [stable, candidate] = await publishBoth();
    const service = isolate(WINS);
    expect(await served(service)).toBe(`candidate ${candidate}`);
    const other = await putVersion(bucket, { ...(await colourManifest()), name: 'other' }, colour);
    await pointers.candidate(stable, other);
    numbers = [LOSES];
    expect(await servedNext(service)).toBe(`stable ${stable}`);
  });
});

/** Candidates that must not be served; each is published and returns its version. */
const bad: Readonly<Record<string, { publish: () => Promise<string>; code: string; reason: RegExp }>> = {
  'signed by another key': {
    publish: async () => putVersion(bucket, await colourManifest(), colour, { by: await newSigner() }),
    code: 'model_untrusted',
    reason: /signature/,
  },
  'with a changed byte': {
    async publish() {
      const version = await publishCandidate();
      await bucket.put(
        modelKey(version, 'model.onnx'),
        colour.map((byte, at) => (at === 50 ? byte ^ 1 : byte)),
      );
      return version;
    },
    code: 'model_untrusted',
    reason: /signature/,
  },
  'that fails its decisive probe': {
    async publish() {
      const probes = [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [1, 0, 0] }];
      return putVersion(bucket, { ...(await colourManifest()), probes }, colour);
    },
    code: 'model_untrusted',
    reason: /failed probes: blue/,
  },
  'that fails a later probe': {
    async publish() {
      const manifest = await manifestOf(brightness);
      const wrong = { name: 'wrong', kind: 'solid', rgb: [0, 0, 0], expected: [0.4] };
      const probes = [manifest.probes[0], manifest.probes[1], wrong];
      return putVersion(bucket, { ...manifest, name: 'later', probes }, brightness);
    },
    code: 'model_untrusted',
    reason: /failed probes: wrong/,
  },
  'that traps': {
    publish: async () => putVersion(bucket, { ...(await manifestOf(trap)), name: 'trap' }, trap),
    code: 'model_untrusted',
    reason: /cannot be run/,
  },
  'that is missing': {
    publish: async () => 'f'.repeat(64),
    code: 'model_unavailable',
    reason: /manifest\.json does not exist/,
  },
};

describe.each(Object.entries(bad))('a candidate %s', (_, { publish, code, reason }) => {
  /** Every request must be answered by the stable version. */
  async function expectStable(service: Service, stable: string): Promise<void> {
    for (let request = 0; request < 3; request++) {
      const answer = await predict(service);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('X-Model-Version')).toBe(stable.slice(0, 12));
    }
    expect(await served(service)).toBe(`stable ${stable}`);
    expect(await (await service('/api/health')).json()).toMatchObject({ status: 'ok' });
  }

  test('costs a new isolate no request: it serves the stable version and logs why, once', async () => {
    const stable = await publishStable();
    const candidate = await publish();
    await pointers.candidate(stable, candidate);
    await expectStable(isolate(WINS), stable);
    expect(refusals()).toEqual([
      { candidate: 'refused', version: candidate.slice(0, 12), code, reason: expect.stringMatching(reason) },
    ]);
  });

  test('costs a running isolate no request', async () => {
    const stable = await publishStable();
    const service = isolate();
    await predict(service);
    await pointers.candidate(stable, await publish());
    numbers = [WINS];
    await expectStable(service, stable);
    expect(refusals()).toHaveLength(1);
  });

  test('does not run again in the isolate when it becomes a candidate again', async () => {
    const stable = await publishStable();
    const candidate = await publish();
    await pointers.candidate(stable, candidate);
    const service = isolate(WINS);
    await predict(service);
    const create = vi.spyOn(ort.InferenceSession, 'create');
    for (let round = 0; round < 5; round++) {
      await pointers.stable(stable);
      await predict(service);
      await pointers.candidate(stable, candidate);
      numbers = [WINS];
      await expectStable(service, stable);
    }
    expect(create).not.toHaveBeenCalled();
  });
});

test('an isolate whose candidate hangs in storage serves the stable version from the next request on', async () => {
  const [stable, candidate] = await publishBoth();
  const hanging = new Proxy(bucket, {
    get: (target, name) => {
      if (name === 'get') {
        return (key: string, options?: R2GetOptions) =>
          key.startsWith(`models/${candidate}`) ? new Promise(() => {}) : target.get(key, options);
      }
      return Reflect.get(target, name);
    },
  });
  numbers = [WINS];
  const service = newService({ MODELS: hanging, MODEL_LOAD_TIMEOUT: 100 }, { waits: false });
  expect((await predict(service)).status).toBe(503);
  expect(await served(service)).toBe(`stable ${stable}`);
  expect(refusals()).toMatchObject([{ code: 'model_unavailable', reason: 'Loading the model takes too long.' }]);
});

test('an aborted candidate is not what an isolate falls back to', async () => {
  const [stable] = await publishBoth();
  const service = isolate(WINS);
  await predict(service);
  await pointers.stable(stable);
  expect(await servedNext(service)).toBe(`stable ${stable}`);
  const probes = [{ name: 'blue', kind: 'solid', rgb: [0, 0, 255], expected: [0, 1, 0] }];
  await putVersion(bucket, { ...(await colourManifest()), probes }, colour);
  expect(await servedNext(service)).toBe(`stable ${stable}`);
  expect(await (await service('/api/health')).json()).toMatchObject({ status: 'degraded' });
});

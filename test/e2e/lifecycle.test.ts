import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readAudit } from '../../registry/audit.ts';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { promote, rollback } from '../../registry/promote.ts';
import { RELEASE_FOLDER } from '../../registry/release.ts';
import { listVersions } from '../../registry/versions.ts';
import { auditKey, modelKey } from '../../src/model/layout.ts';
import { solidPng } from '../pictures/png.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

let worker: RunningWorker;
let photo: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  worker = await startWorker({ model: 'brightness', vars: { MODEL_REFRESH: 100 } });
  photo = await solidPng([0, 0, 255], 64);
});

afterAll(async () => {
  await worker?.stop();
});

const Prediction = z.object({ model: z.object({ version: z.string() }) });

async function predict(): Promise<string> {
  const response = await fetch(`${worker.url}/api/predict`, {
    method: 'POST',
    body: photo,
    headers: { 'Content-Type': 'image/png' },
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return Prediction.parse(await response.json()).model.version;
}

/** Uploads without a pause, two at a time, until `done`. Returns the versions that answered, and all failures. */
async function stream(done: () => boolean): Promise<{ versions: Set<string>; failures: unknown[] }> {
  const versions = new Set<string>();
  const failures: unknown[] = [];
  const upload = async () => {
    while (!done())
      await predict().then(
        (version) => versions.add(version),
        (error: unknown) => failures.push(error),
      );
  };
  await Promise.all([upload(), upload()]);
  return { versions, failures };
}

async function untilServed(version: string): Promise<void> {
  for (let look = 0; look < 100; look++) {
    if (version.startsWith(await predict())) return;
    await setTimeout(50);
  }
  throw new Error(`${version} is not served`);
}

test('the Worker follows publish, rollback and promote from one form to the other without a restart, and no upload fails', async () => {
  const { keys } = worker;
  const first = (await worker.bucket(listVersions))[0] ?? '';
  let done = false;
  const uploads = stream(() => done);
  try {
    await worker.publish(RELEASE_FOLDER);
    const second = (await worker.bucket(listVersions)).find((version) => version !== first) ?? '';
    await untilServed(second);
    await worker.bucket((r2) => rollback(r2, DEFAULT_CHANNEL, keys));
    await untilServed(first);
    await worker.bucket((r2) => promote(r2, DEFAULT_CHANNEL, second.slice(0, 12), keys));
    await untilServed(second);
  } finally {
    done = true;
  }
  const { versions, failures } = await uploads;
  expect(failures).toEqual([]);
  expect(versions.size).toBe(2);

  const { records, faults } = await worker.bucket(readAudit);
  expect(faults).toEqual([]);
  expect(records.map(({ action }) => action)).toEqual(['publish', 'publish', 'rollback', 'promote']);
  expect(new Set(records.map(({ signer }) => signer))).toEqual(new Set([keys[0]?.fingerprint]));
});

test('a version that the Worker would refuse cannot be promoted', async () => {
  const { keys } = worker;
  const version = (await worker.bucket(listVersions))[0] ?? '';
  await worker.bucket(async (r2) => {
    await expect(promote(r2, DEFAULT_CHANNEL, '0000', keys)).rejects.toThrow('no version begins');
    await r2.put(modelKey(version, 'manifest.json'), 'something else');
    await expect(promote(r2, 'staging', version, keys)).rejects.toThrow();
    expect(await r2.head('channels/staging.json')).toBeNull();
  });
});

test('a changed or removed audit record breaks the chain', async () => {
  await worker.bucket(async (r2) => {
    const key = auditKey(2);
    const record = (await (await r2.get(key))?.text()) ?? '';
    await r2.put(key, record.replace('publish', 'promote'));
    expect((await readAudit(r2)).faults).toEqual([`${auditKey(3)} does not follow from the previous record`]);
    await r2.delete(key);
    expect((await readAudit(r2)).faults).toEqual([`${auditKey(3)} does not follow from the previous record`]);
    await r2.put(key, record);
    expect((await readAudit(r2)).faults).toEqual([]);
  });
});

test('of two simultaneous publishers, one is asked to retry', async () => {
  const { keys } = worker;
  await worker.bucket(async (r2) => {
    const [version = ''] = (await readAudit(r2)).records.map((record) => record.version).slice(1, 2);
    const both = await Promise.allSettled(['one', 'two'].map((channel) => promote(r2, channel, version, keys)));
    const refused = both.filter(({ status }) => status === 'rejected');
    const { records, faults } = await readAudit(r2);
    expect(faults).toEqual([]);
    expect(records).toHaveLength(4 + both.length - refused.length);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { readAudit } from '../../registry/audit.ts';
import { withBucket } from '../../registry/bucket.ts';
import { abortCanary, startCanary } from '../../registry/canary.ts';
import { generateKeyPair, parseSigningKey, type SigningKey } from '../../registry/keys.ts';
import { promote, rollback } from '../../registry/promote.ts';
import * as publishing from '../../registry/publish.ts';
import { type Release, readRelease, sha256 } from '../../registry/release.ts';
import { createSignature } from '../../registry/sign.ts';
import { checkVersion } from '../../registry/versions.ts';
import { parseConfig } from '../../src/config.ts';
import { ModelUntrusted } from '../../src/errors.ts';
import { channelKey, modelKey } from '../../src/model/layout.ts';
import { digestFile } from '../../src/model/verification.ts';
import { testManifest } from '../manifest.ts';

let folder: string;
let first: Release;
let second: Release;
let key: SigningKey;

const publish = (bucket: R2Bucket, release: Release, channel: string) =>
  publishing.publish(bucket, release, createSignature(release, key), [key.publicKey], channel);
/** Whether the bucket holds the version, complete and signed. */
const isPublished = (bucket: R2Bucket, release: Release) =>
  checkVersion(bucket, release.version, [key.publicKey]).then(
    () => true,
    () => false,
  );

/** A version folder as the converter writes it; publishing does not run the model, so any bytes work. */
async function writeRelease(name: string): Promise<Release> {
  const onnx = Buffer.from(`not a network, but bytes of ${name}`);
  const manifest = testManifest(name, { bytes: onnx.byteLength, sha256: sha256(onnx) });
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'model.onnx'), onnx);
  return readRelease(folder);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'husky-ai-release-'));
  key = await parseSigningKey(generateKeyPair('P-256').privateKeyPem);
  first = await writeRelease('first');
  second = await writeRelease('second');
});

afterAll(() => rm(folder, { recursive: true }));

/** Calls `use` with a new, empty local bucket. */
async function withEmptyBucket(use: (bucket: R2Bucket) => Promise<void>): Promise<void> {
  const persistTo = await mkdtemp(join(tmpdir(), 'husky-ai-bucket-'));
  try {
    await withBucket({ persistTo }, use);
  } finally {
    await rm(persistTo, { recursive: true, force: true });
  }
}

const served = async (bucket: R2Bucket, channel = 'production') => (await bucket.get(channelKey(channel)))?.json();

test('a version is stored under its content address, and the channel points at it', () =>
  withEmptyBucket(async (bucket) => {
    const published = await publish(bucket, first, 'production');
    expect(published).toEqual({ written: ['model.onnx', 'manifest.json', 'model.sig'], moved: true });
    const manifest = await bucket.get(modelKey(first.version, 'manifest.json'));
    expect(sha256(Buffer.from((await manifest?.text()) ?? ''))).toBe(first.version);
    expect(await served(bucket)).toEqual({ version: first.version });
    expect(await isPublished(bucket, first)).toBe(true);
  }));

test('publishing again changes nothing', () =>
  withEmptyBucket(async (bucket) => {
    await publish(bucket, first, 'production');
    const before = (await bucket.list()).objects.map(({ key, etag, uploaded }) => [key, etag, uploaded]);
    expect(await publish(bucket, first, 'production')).toEqual({ written: [], moved: false });
    const after = (await bucket.list()).objects.map(({ key, etag, uploaded }) => [key, etag, uploaded]);
    expect(after).toEqual(before);
  }));

test('a new version takes over the channel, and the old one stays in the bucket', () =>
  withEmptyBucket(async (bucket) => {
    await publish(bucket, first, 'production');
    await publish(bucket, second, 'production');
    expect(await served(bucket)).toEqual({ version: second.version });
    expect(await isPublished(bucket, first)).toBe(true);
  }));

test('channels are independent', () =>
  withEmptyBucket(async (bucket) => {
    await publish(bucket, first, 'production');
    await publish(bucket, second, 'staging');
    expect(await served(bucket)).toEqual({ version: first.version });
    expect(await served(bucket, 'staging')).toEqual({ version: second.version });
  }));

describe('a candidate', () => {
  const start = (bucket: R2Bucket, { version }: Release, share: number) =>
    startCanary(bucket, 'production', version.slice(0, 12), { share, keys: [key.publicKey] });
  const actions = async (bucket: R2Bucket) => (await readAudit(bucket)).records.map(({ action }) => action);

  /** A bucket with both versions, whose channel points at the first. */
  const withBoth = (use: (bucket: R2Bucket) => Promise<void>) =>
    withEmptyBucket(async (bucket) => {
      await publish(bucket, second, 'next');
      await publish(bucket, first, 'production');
      await use(bucket);
    });

  test('is named by the pointer with its share, which older Workers ignore', () =>
    withBoth(async (bucket) => {
      await start(bucket, second, 10);
      const pointer = await served(bucket);
      expect(pointer).toEqual({ version: first.version, candidate: { version: second.version, share: 10 } });
      // The schema of release 0.1.
      const older = z.object({ version: z.string().regex(/^[0-9a-f]{64}$/) });
      expect(older.parse(pointer)).toEqual({ version: first.version });
    }));

  test('gets another share; repeating that changes nothing', () =>
    withBoth(async (bucket) => {
      for (const share of [10, 50, 50]) await start(bucket, second, share);
      expect(await served(bucket)).toMatchObject({ candidate: { share: 50 } });
      const { records, faults } = await readAudit(bucket);
      expect(faults).toEqual([]);
      expect(records.slice(2)).toMatchObject([
        { action: 'canary', version: second.version, from: first.version, share: 10 },
        { action: 'canary', version: second.version, from: first.version, share: 50 },
      ]);
    }));

  test('is promoted when no version is named; rolling back returns to the version before', () =>
    withBoth(async (bucket) => {
      await start(bucket, second, 10);
      expect(await promote(bucket, 'production', '', [key.publicKey])).toEqual({
        version: second.version,
        moved: true,
      });
      expect(await served(bucket)).toEqual({ version: second.version });
      await rollback(bucket, 'production', [key.publicKey]);
      expect(await served(bucket)).toEqual({ version: first.version });
      expect((await actions(bucket)).slice(2)).toEqual(['canary', 'promote', 'rollback']);
    }));

  test('is aborted, even one whose files are damaged', () =>
    withBoth(async (bucket) => {
      await start(bucket, second, 10);
      await bucket.put(modelKey(second.version, 'model.onnx'), 'other bytes');
      expect(await abortCanary(bucket, 'production')).toBe(second.version);
      expect(await served(bucket)).toEqual({ version: first.version });
      expect((await readAudit(bucket)).records.at(-1)).toMatchObject({
        action: 'abort',
        version: second.version,
        signer: key.publicKey.fingerprint,
      });
      await expect(abortCanary(bucket, 'production')).rejects.toThrow('no candidate');
      await expect(promote(bucket, 'production', '', [key.publicKey])).rejects.toThrow('no candidate');
    }));

  test('that nobody recorded is aborted too', () =>
    withEmptyBucket(async (bucket) => {
      await publish(bucket, first, 'production');
      const candidate = { version: second.version, share: 10 };
      await bucket.put(channelKey('production'), JSON.stringify({ version: first.version, candidate }));
      await abortCanary(bucket, 'production');
      expect((await readAudit(bucket)).records.at(-1)).toMatchObject({ action: 'abort', signer: '0'.repeat(64) });
    }));

  test('leaves no trace in a rollback: canary and abort records are ignored', () =>
    withBoth(async (bucket) => {
      await publish(bucket, second, 'production');
      for (let round = 0; round < 2; round++) {
        await start(bucket, first, 10);
        await abortCanary(bucket, 'production');
      }
      await start(bucket, first, 10);
      await rollback(bucket, 'production', [key.publicKey]);
      expect(await served(bucket)).toEqual({ version: first.version });
      await expect(rollback(bucket, 'production', [key.publicKey])).rejects.toThrow('no version to roll back to');
    }));

  test('ends when another version is published', () =>
    withBoth(async (bucket) => {
      const third = await writeRelease('third-version');
      await start(bucket, second, 10);
      await publish(bucket, third, 'production');
      expect(await served(bucket)).toEqual({ version: third.version });
    }));

  test.each([0, -1, 100, Number.NaN])('with a share of %d is refused', (share) =>
    withBoth(async (bucket) => {
      await expect(start(bucket, second, share)).rejects.toThrow('percentage');
      expect(await served(bucket)).toEqual({ version: first.version });
    }),
  );

  test('must not be the served version, and a channel without a version has none', () =>
    withBoth(async (bucket) => {
      await expect(start(bucket, first, 10)).rejects.toThrow('already');
      const options = { share: 10, keys: [key.publicKey] };
      await expect(startCanary(bucket, 'empty', second.version, options)).rejects.toThrow('points at no version');
    }));

  test('that the Worker would refuse, or that does not run, does not start', () =>
    withBoth(async (bucket) => {
      const tryOut = () => Promise.reject(new ModelUntrusted('The model cannot be run.'));
      const options = { share: 10, keys: [key.publicKey], tryOut };
      await expect(startCanary(bucket, 'production', second.version, options)).rejects.toThrow('cannot be run');
      const limits = { ...parseConfig({}), MAX_MODEL_BYTES: 10 };
      const small = { share: 10, keys: [key.publicKey], limits };
      await expect(startCanary(bucket, 'production', second.version, small)).rejects.toThrow('too large');
      await bucket.put(modelKey(second.version, 'model.onnx'), 'other bytes');
      await expect(start(bucket, second, 10)).rejects.toThrow('signature');
      expect(await served(bucket)).toEqual({ version: first.version });
      expect(await actions(bucket)).toEqual(['publish', 'publish']);
    }));
});

/** A bucket whose `nth` write fails, as if the network broke. */
function failingAt(bucket: R2Bucket, nth: number): R2Bucket {
  let writes = 0;
  return new Proxy(bucket, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (key === 'put' && ++writes === nth) throw new Error('the network broke');
        return Reflect.apply(value, target, args);
      };
    },
  });
}

test.each([1, 2, 3, 4, 5])(
  'an interruption at write %i leaves the old version served, and a repetition completes it',
  (nth) =>
    withEmptyBucket(async (bucket) => {
      await publish(bucket, first, 'production');
      await expect(publish(failingAt(bucket, nth), second, 'production')).rejects.toThrow('the network broke');
      expect(await served(bucket)).toEqual({ version: first.version });
      await publish(bucket, second, 'production');
      expect(await served(bucket)).toEqual({ version: second.version });
      expect(await isPublished(bucket, second)).toBe(true);
    }),
);

test('a broken pointer is repaired', () =>
  withEmptyBucket(async (bucket) => {
    await bucket.put(channelKey('production'), 'not JSON');
    expect(await publish(bucket, first, 'production')).toMatchObject({ moved: true });
    expect(await served(bucket)).toEqual({ version: first.version });
  }));

/** Puts a version into the bucket without any of the checks of `publish`. */
async function putUnchecked(bucket: R2Bucket, release: Release): Promise<void> {
  const { version } = release;
  for (const [name, { bytes }] of release.files) await bucket.put(modelKey(version, name), bytes);
  await bucket.put(modelKey(version, 'model.sig'), createSignature(release, key));
}

describe('what the Worker would refuse is not published, promoted or rolled back to, even with a valid signature', () => {
  /** The second version with this file changed, under its own content address, with a matching signature. */
  async function changed(name: string, content: string): Promise<Release> {
    const files = new Map(second.files).set(name, await digestFile(Buffer.from(content)));
    return { ...second, version: files.get('manifest.json')?.sha256 ?? '', files };
  }

  test.each([
    ['a manifest that names another model', 'model.onnx', 'another model', 'not the one that its manifest names'],
    ['a manifest that is not valid', 'manifest.json', '{}', 'manifest is not valid'],
  ])('%s', (_, file, content, message) =>
    withEmptyBucket(async (bucket) => {
      const bad = await changed(file, content);
      await publish(bucket, first, 'production');
      await putUnchecked(bucket, bad);
      await expect(publish(bucket, bad, 'production')).rejects.toThrow(message);
      await expect(promote(bucket, 'production', bad.version, [key.publicKey])).rejects.toThrow(message);
      expect(await served(bucket)).toEqual({ version: first.version });
    }),
  );

  test('a version that was changed after another replaced it', () =>
    withEmptyBucket(async (bucket) => {
      await publish(bucket, first, 'production');
      await publish(bucket, second, 'production');
      await bucket.put(modelKey(first.version, 'model.onnx'), 'other bytes');
      await expect(rollback(bucket, 'production', [key.publicKey])).rejects.toThrow('signature');
      expect(await served(bucket)).toEqual({ version: second.version });
    }));

  test('a model that is larger than the Worker reads', () =>
    withEmptyBucket(async (bucket) => {
      const limits = { ...parseConfig({}), MAX_MODEL_BYTES: 10 };
      await putUnchecked(bucket, first);
      await expect(promote(bucket, 'production', first.version, [key.publicKey], limits)).rejects.toThrow('too large');
      expect(await served(bucket)).toBeUndefined();
    }));
});

test("a folder whose model is not the manifest's is refused", async () => {
  await writeRelease('third');
  await writeFile(join(folder, 'model.onnx'), 'other bytes');
  await expect(readRelease(folder)).rejects.toThrow('not the one that its manifest names');
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { R2Bucket } from '@cloudflare/workers-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withBucket } from '../../registry/bucket.ts';
import { generateKeyPair, parseSigningKey, type SigningKey } from '../../registry/keys.ts';
import { promote, rollback } from '../../registry/promote.ts';
import * as publishing from '../../registry/publish.ts';
import { type Release, readRelease, sha256 } from '../../registry/release.ts';
import { createSignature } from '../../registry/sign.ts';
import { checkVersion } from '../../registry/versions.ts';
import { parseConfig } from '../../src/config.ts';
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

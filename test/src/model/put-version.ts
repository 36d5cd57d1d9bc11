import { sha256Hex } from '../../../src/model/digest.ts';
import { channelKey, modelKey } from '../../../src/model/layout.ts';
import { utf8 } from '../../pictures/png.ts';
import { json, newSigner, type Signer, statementOf } from './oms/signer.ts';

/** The signer that the tests' services trust. */
export const signer = await newSigner();

export interface VersionOptions {
  readonly channel?: string;
  readonly by?: Signer;
}

/** Puts a signed version of a network in one file into R2; `manifest` may be invalid. */
export const putVersion = (
  bucket: R2Bucket,
  manifest: unknown,
  onnx: Uint8Array<ArrayBuffer>,
  options: VersionOptions = {},
): Promise<string> => putFiles(bucket, manifest, { 'model.onnx': onnx }, options);

/** Puts a signed version into R2 as `model:publish` does; `manifest` may be invalid. */
export async function putFiles(
  bucket: R2Bucket,
  manifest: unknown,
  network: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
  { channel = 'production', by = signer }: VersionOptions = {},
): Promise<string> {
  const files = [...Object.entries(network), ['manifest.json', utf8(JSON.stringify(manifest))] as const];
  const digests = new Map<string, string>();
  for (const [name, content] of files) digests.set(name, await sha256Hex(content));
  const version = digests.get('manifest.json') ?? '';
  const bundle = json(await by.sign(json(await statementOf(digests))));
  for (const [name, content] of [...files, ['model.sig', bundle] as const]) {
    await bucket.put(modelKey(version, name), content, { sha256: await sha256Hex(content) });
  }
  await pointAt(bucket, version, channel);
  return version;
}

export async function pointAt(bucket: R2Bucket, version: string, channel = 'production'): Promise<void> {
  await bucket.put(channelKey(channel), JSON.stringify({ version }));
}

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

/** Puts a signed version into R2 as `model:publish` does; `manifest` may be invalid. */
export async function putVersion(
  bucket: R2Bucket,
  manifest: unknown,
  onnx: Uint8Array<ArrayBuffer>,
  { channel = 'production', by = signer }: VersionOptions = {},
): Promise<string> {
  const bytes = utf8(JSON.stringify(manifest));
  const version = await sha256Hex(bytes);
  const digests = new Map([
    ['manifest.json', version],
    ['model.onnx', await sha256Hex(onnx)],
  ]);
  const bundle = await by.sign(json(await statementOf(digests)));
  for (const [file, content] of [
    ['model.onnx', onnx],
    ['manifest.json', bytes],
    ['model.sig', json(bundle)],
  ] as const) {
    await bucket.put(modelKey(version, file), content, { sha256: await sha256Hex(content) });
  }
  await pointAt(bucket, version, channel);
  return version;
}

export async function pointAt(bucket: R2Bucket, version: string, channel = 'production'): Promise<void> {
  await bucket.put(channelKey(channel), JSON.stringify({ version }));
}

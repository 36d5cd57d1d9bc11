import type { Codec, Header } from './codec.ts';
import { reducedSize, reducingBytes } from './reducer.ts';
import { resamplingBytes, resamplingNanoseconds } from './resample.ts';
import { photonBytes, photonBytesAfter } from './resize.ts';
import { decodingSize, isResampled, type Target } from './target.ts';

/** Wasm memory in bytes that photon and the idle decoders hold between photos. */
export function heldBytes(codecs: readonly Codec[]): number {
  return photonBytes() + idleBytes(codecs);
}

/** The part of `heldBytes` that `dropIdle` frees. */
export function idleBytes(codecs: readonly Codec[]): number {
  return codecs.reduce((sum, { idle }) => sum + (idle?.heldBytes ?? 0), 0);
}

export function dropIdle(codecs: readonly Codec[]): void {
  for (const { idle } of codecs) idle?.drop();
}

/** Upper bound of the milliseconds of CPU time that turning a photo into a tensor takes on the benchmark machine. */
export function totalMilliseconds<H extends Header>(codec: Codec<H>, header: H, target: Target): number {
  const towards = decodingSize(codec, header, target);
  const reduced = reducedSize(codec.decodedSize?.(header, towards) ?? header, towards);
  const resampling = isResampled(codec, header, reduced, target) ? resamplingNanoseconds(reduced, target) : 0;
  return codec.decodeMilliseconds(header, towards) + resampling / 1e6;
}

/**
 * Upper bound of the memory in bytes that turning a photo into a tensor takes at any moment, without the file itself
 * and `heldBytes`. Tests compare it with what the decoders really take.
 */
export function peakBytes<H extends Header>(codec: Codec<H>, header: H, target: Target): number {
  const towards = decodingSize(codec, header, target);
  const decoded = codec.decodedSize?.(header, towards) ?? header;
  const reduced = reducedSize(decoded, towards);
  const resizing = isResampled(codec, header, reduced, target)
    ? resamplingBytes(reduced, target)
    : photonBytesAfter(reduced, target) - photonBytes();
  return codec.decoderBytes(header, towards) + reducingBytes(decoded, reduced) + resizing;
}

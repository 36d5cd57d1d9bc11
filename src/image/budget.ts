import type { Codec, Header } from './codec.ts';
import { reducedSize, reducingBytes } from './reduction.ts';
import { photonBytes, photonBytesAfter } from './resize.ts';
import { reductionTarget, type Target } from './target.ts';

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
  return codec.decodeMilliseconds(header, reductionTarget(codec, header, target));
}

/**
 * Upper bound of the memory in bytes that turning a photo into a tensor takes at any moment, without the file itself
 * and `heldBytes`. Tests compare it with what the decoders really take.
 */
export function peakBytes<H extends Header>(codec: Codec<H>, header: H, target: Target): number {
  const reduction = reductionTarget(codec, header, target);
  const decoded = codec.decodedSize?.(header, reduction) ?? header;
  const reducing = reducingBytes(decoded, reduction, codec.bandHeight?.(header) ?? 1);
  const resizing = photonBytesAfter(reducedSize(decoded, reduction), target) - photonBytes();
  return codec.decoderBytes(header, reduction) + reducing + resizing;
}

import type { GifHeader } from './gif/header.ts';
import type { Header } from './header.ts';
import { jpegDecoder } from './jpeg/decode.ts';
import type { JpegHeader } from './jpeg/header.ts';
import { jpegReduction, neededBytes, scaledSize } from './jpeg/reduction.ts';
import type { Size } from './photo.ts';
import { rowBytes } from './png/decode.ts';
import type { PngHeader } from './png/header.ts';
import { INFLATE_PEAK_BYTES } from './png/inflate.ts';
import { reducedLength, reducingBytes } from './reducer.ts';
import { photonBytes, photonBytesAfter } from './resize.ts';
import { webpDecoder } from './webp/decode.ts';
import type { WebpHeader } from './webp/header.ts';

/** A C decoder's own data, stack and tables. */
const INSTANCE_BYTES = 400_000;

/** Bytes of wasm memory that photon and the idle decoders hold between photos. */
export function heldBytes(): number {
  return photonBytes() + idleBytes();
}

/** The part of `heldBytes` that `dropIdle` gives back: the idle decoders'. */
export function idleBytes(): number {
  return jpegDecoder.heldBytes + webpDecoder.heldBytes;
}

export function dropIdle(): void {
  jpegDecoder.drop();
  webpDecoder.drop();
}

/**
 * The most bytes that turning a photo into a tensor takes at any moment, the file itself and what is held anyway
 * (`heldBytes`) apart. The tests compare it with the memory that decoders really took.
 */
export function peakBytes(header: Header, target: Size): number {
  const reduced = reducedSize(header, target);
  const photon = photonBytesAfter(reduced, target) - photonBytes();
  return decoderBytes(header, target) + reducingBytes(decodedSize(header, target), reduced) + photon;
}

/** Bytes that the format's decoder takes: its wasm memory, or buffers where it has none. */
export function decoderBytes(header: Header, target: Size): number {
  switch (header.format) {
    case 'jpeg':
      return jpegBytes(header, target);
    case 'png':
      return pngBytes(header);
    case 'gif':
      return gifBytes(header);
    case 'webp':
      return webpBytes(header);
  }
}

/** The file's copy, the scaled RGBA, a few lines of samples, and all coefficients (16 bits each) where they are kept. */
function jpegBytes(header: JpegHeader, target: Size): number {
  const reduction = jpegReduction(header, target);
  const { width, height } = scaledSize(header, reduction);
  const lines = header.width * header.components.length * 32;
  const kept = header.buffered ? coefficientBytes(header) : 0;
  return INSTANCE_BYTES + neededBytes(header, reduction) + width * height * 4 + lines + kept;
}

/** Every component is kept in whole blocks of 64 coefficients, rounded up to whole units (T.81, A.2). */
function coefficientBytes({ width, height, components }: JpegHeader): number {
  const maxHorizontal = Math.max(...components.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...components.map(({ vertical }) => vertical));
  const units = Math.ceil(width / (8 * maxHorizontal)) * Math.ceil(height / (8 * maxVertical));
  return components.reduce((sum, { horizontal, vertical }) => sum + units * horizontal * vertical * 128, 0);
}

/** Two rows as stored, one as RGB, and what the inflater holds. */
function pngBytes(header: PngHeader): number {
  return 2 * rowBytes(header.width, header) + 3 * header.width + INFLATE_PEAK_BYTES;
}

/** A byte for each pixel of the frame, a row of it and one of the canvas, and the code table. */
function gifBytes({ width, frame }: GifHeader): number {
  return frame.width * frame.height + 4 * (width + frame.width) + 8 * 4096;
}

/** The file's copy, RGBA, a few lines; a lossless picture is decoded to ARGB first, with tables for its codes. */
function webpBytes({ frame, width, lossless, prefixCodeBytes, picture }: WebpHeader): number {
  const pixels = frame.width * frame.height * (lossless ? 8 : 4);
  return INSTANCE_BYTES + prefixCodeBytes + picture.length + pixels + frame.width * 128 + width * 4;
}

/** What the decoder's result is reduced to before photon gets it. */
function reducedSize(header: Header, target: Size): Size {
  const { width, height } = decodedSize(header, target);
  return { width: reducedLength(width, target.width), height: reducedLength(height, target.height) };
}

/** In pixels of the decoder's result; fractional where libjpeg-turbo rounds up. */
function decodedSize(header: Header, target: Size): Size {
  const reduction = header.format === 'jpeg' ? jpegReduction(header, target) : 1;
  return { width: header.width / reduction, height: header.height / reduction };
}

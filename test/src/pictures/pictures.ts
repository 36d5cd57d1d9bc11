import { parseConfig } from '../../../src/config.ts';
import { MalformedImage, UnsupportedMediaType } from '../../../src/errors.ts';
import { findCodec } from '../../../src/image/codec.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { type ImageTensor, type Photo, PreparedPhoto, type TensorSpec } from '../../../src/image/prepared-photo.ts';
import heif from './heif.json' with { type: 'json' };
import drawn from './pictures.json' with { type: 'json' };

/** A drawn picture and Pillow's result. `draw.py` and `draw_heif.py` create both. */
export interface Picture {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Size after applying the EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly spec: TensorSpec;
  /** Pillow's RGB bytes, in the size of `spec`. */
  readonly expected: Uint8Array;
}

const PLENTY = 100_000_000;

const { MAX_DECODE_MS } = parseConfig({});

export const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const results: Record<string, string> = { ...drawn.expected, ...heif.expected };

/** Returns Pillow's RGB bytes by their key. */
export const expectedBytes = (key: string) => fromBase64(results[key] ?? '');

function toResampling(name: string): TensorSpec['resampling'] {
  if (name !== 'bicubic' && name !== 'bilinear' && name !== 'lanczos') throw new Error(name);
  return name;
}

export const pictures: readonly Picture[] = [...drawn.pictures, ...heif.pictures].map(
  ({ name, file, width, height, target: [columns = 0, rows = 0], resampling, expected }) => ({
    name,
    bytes: fromBase64(file),
    width,
    height,
    spec: { width: columns, height: rows, resampling: toResampling(resampling) },
    expected: expectedBytes(expected),
  }),
);

/** Returns the picture with this name. */
export function picture(name: string): Picture {
  const found = pictures.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`No picture is named '${name}'.`);
  return found;
}

export function toPhoto(bytes: Uint8Array): Photo {
  const codec = findCodec(codecs, bytes);
  if (!codec) throw new Error('Unknown format.');
  return { codecs, codec, bytes };
}

export const SPEC: TensorSpec = { width: 16, height: 16, resampling: 'bicubic' };

export async function toTensor(bytes: Uint8Array, spec = SPEC, availableBytes = PLENTY): Promise<ImageTensor> {
  const prepared = new PreparedPhoto(toPhoto(bytes), spec);
  prepared.makeRoom({ bytes: availableBytes, milliseconds: MAX_DECODE_MS });
  return prepared.toTensor();
}

/** Mean and maximum difference between a tensor and RGB bytes, in 1/255. */
export function difference(data: Float32Array, rgb: Uint8Array): { mean: number; max: number } {
  const all = Array.from(data, (value, i) => Math.abs(value * 255 - (rgb[i] ?? Number.NaN)));
  return { mean: all.reduce((sum, each) => sum + each, 0) / all.length, max: Math.max(...all) };
}

/** Returns the tensor, or the failure of a file that is damaged or of an unsupported variant. */
export function outcome(bytes: Uint8Array, spec = SPEC): Promise<ImageTensor | MalformedImage | UnsupportedMediaType> {
  return toTensor(bytes, spec).catch((error: unknown) => {
    if (error instanceof MalformedImage || error instanceof UnsupportedMediaType) return error;
    throw error;
  });
}

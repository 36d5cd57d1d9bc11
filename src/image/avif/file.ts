import type { Size } from '../codec.ts';
import { concatenate } from '../heif/concatenate.ts';
import type { Colour, Tile } from '../heif/picture.ts';
import type { Av1Config } from './obu.ts';

/** Unspecified colour primaries and transfer function: no colour management takes place. */
const UNSPECIFIED = 2;

/**
 * Wraps one tile in the smallest AVIF file (AV1 Image File Format), without orientation, alpha and metadata.
 *
 * @returns the file in pieces, so that the data need not be copied twice
 */
export function wrapTile(
  { data, config }: Tile,
  { width, height }: Size,
  { depth, grey }: Av1Config,
  colour: Colour | undefined,
): readonly Uint8Array[] {
  const length = data.reduce((sum, part) => sum + part.length, 0);
  const depths = Array.from({ length: grey ? 1 : 3 }, () => depth);
  const properties = [
    box('ispe', u32(0), u32(width), u32(height)),
    box('pixi', u32(0), Uint8Array.of(depths.length, ...depths)),
    box('av1C', config),
    ...(colour ? [box('colr', ascii('nclx'), nclx(colour))] : []),
  ];
  const associations = properties.map((_, i) => i + 1);
  const start = box('ftyp', ascii('avif'), u32(0), ascii('avifmif1miaf'));
  const meta = (offset: number) =>
    box(
      'meta',
      u32(0),
      box('hdlr', u32(0), u32(0), ascii('pict'), new Uint8Array(13)),
      box('pitm', u32(0), u16(1)),
      box('iloc', u32(0), u16(0x4400), u16(1), u16(1), u16(0), u16(1), u32(offset), u32(length)),
      box('iinf', u32(0), u16(1), box('infe', u32(0x2000000), u16(1), u16(0), ascii('av01'), Uint8Array.of(0))),
      box(
        'iprp',
        box('ipco', ...properties),
        box('ipma', u32(0), u32(1), u16(1), Uint8Array.of(associations.length, ...associations)),
      ),
    );
  const offset = start.length + meta(0).length + 8;
  return [start, meta(offset), u32(length + 8), ascii('mdat'), ...data];
}

function nclx({ matrix, fullRange }: Colour): Uint8Array {
  return concatenate([u16(UNSPECIFIED), u16(UNSPECIFIED), u16(matrix), Uint8Array.of(fullRange ? 0x80 : 0)]);
}

function box(type: string, ...payload: readonly Uint8Array[]): Uint8Array {
  const content = concatenate(payload);
  return concatenate([u32(content.length + 8), ascii(type), content]);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value);
const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >> 16, value >> 8, value);

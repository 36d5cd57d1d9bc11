import { MalformedImage, UnsupportedMediaType } from '../../errors.ts';
import { ByteReader, startsWith } from '../bytes.ts';
import type { Header, Size } from '../codec.ts';
import { type Box, BoxCursor } from './boxes.ts';
import { type Items, itemData, type Property, readItems } from './items.ts';
import { readTransforms, type Transforms } from './transforms.ts';

/** Item types of coded pictures: HEVC and AV1. */
export type Coding = 'hvc1' | 'av01';

/** How YCbCr was made from RGB, from a `colr` box of type `nclx` (ITU-T H.273). */
export interface Colour {
  readonly matrix: number;
  readonly fullRange: boolean;
}

/** One coded picture: a whole photo, or a tile of a grid. */
export interface Tile {
  readonly data: readonly Uint8Array[];
  /** The payload of `hvcC` or `av1C`. */
  readonly config: Uint8Array;
}

/** The primary picture of a HEIF file. Its size is that of the cropped picture. */
export interface HeifPicture extends Header, Pick<Transforms, 'crop'> {
  /** In reading order. */
  readonly tiles: readonly Tile[];
  readonly columns: number;
  readonly tileSize: Size;
  readonly colour: Colour | undefined;
}

/** Properties that change nothing here, or that are used. An item with any other essential one is refused. */
const KNOWN = [
  ...['ispe', 'pixi', 'colr', 'hvcC', 'av1C', 'clap', 'irot', 'imir', 'pasp', 'auxC', 'a1op'],
  // Light, and descriptions.
  ...['clli', 'mdcv', 'cclv', 'amve', 'reve', 'ndwt', 'udes', 'altt', 'elng', 'crtt', 'mdft'],
];

const MAX_SIDE = 65_536;

const CONFIG: Record<Coding, string> = { hvc1: 'hvcC', av01: 'av1C' };

/** Names of what the container may hold and this service cannot decode. */
const OTHER_CODINGS: Record<string, string> = {
  avc1: 'H.264',
  vvc1: 'H.266',
  evc1: 'EVC',
  j2k1: 'JPEG 2000',
  jpeg: 'JPEG',
  unci: 'uncompressed',
  iovl: 'overlaid',
  iden: 'derived',
  encrypted: 'encrypted',
};

const AVIF_BRANDS = ['avif', 'avis'];
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'];
const HEIF_BRANDS = ['mif1', 'mif2', 'msf1', 'miaf'];

/** Bounds the list of brands. */
const MAX_BRANDS = 64;

/** Returns the coding of a HEIF file's picture: from its brands or, if they leave it open, from its primary item. */
export function findCoding(bytes: Uint8Array): Coding | undefined {
  if (!startsWith(bytes, 'ftyp', 4)) return undefined;
  const brands = readBrands(bytes);
  const [isAvif, isHeic, isHeif] = [AVIF_BRANDS, HEIC_BRANDS, HEIF_BRANDS].map((known) =>
    brands.some((brand) => known.includes(brand)),
  );
  if (!isAvif && !isHeic && !isHeif) return undefined;
  if (isAvif !== isHeic) return isAvif ? 'av01' : 'hvc1';
  try {
    return codingOf(readItems(new ByteReader(bytes)));
  } catch {
    return isAvif ? 'av01' : 'hvc1';
  }
}

function readBrands(bytes: Uint8Array): string[] {
  const reader = new ByteReader(bytes.subarray(0, Math.min(bytes.length, 8 + 4 * MAX_BRANDS)));
  const length = Math.min(reader.u32(0), reader.length);
  // The version follows the major brand.
  return [8, ...Array.from({ length: MAX_BRANDS }, (_, i) => 16 + 4 * i)]
    .filter((at) => at + 4 <= length)
    .map((at) => reader.ascii(at, 4));
}

/** The coding of the primary picture or of its first tile. */
function codingOf(items: Items): Coding {
  const type = items.types.get(items.primary);
  const [first = 0] = items.inputs.get(items.primary) ?? [];
  return (type === 'grid' ? items.types.get(first) : type) === 'av01' ? 'av01' : 'hvc1';
}

/**
 * Reads everything that decides about a HEIF file (ISO/IEC 23008-12) without decoding a pixel.
 *
 * @throws {MalformedImage} its structure is damaged or truncated
 * @throws {UnsupportedMediaType} its picture has another coding
 */
export function readHeifPicture(bytes: Uint8Array, coding: Coding, name: string): HeifPicture {
  const reader = new ByteReader(bytes);
  const items = readItems(reader);
  const { primary } = items;
  const grid = items.types.get(primary) === 'grid' ? readGrid(reader, items) : undefined;
  const ids = grid?.inputs ?? [primary];
  for (const id of ids) checkCoding(items.types.get(id), coding, name);
  const own = items.properties.get(primary) ?? [];
  const tileSize = readSize(reader, items, ids[0] ?? primary);
  const size = grid ? checkGrid(grid, tileSize) : tileSize;
  const tiles = ids.map((id) => {
    const { width, height } = readSize(reader, items, id);
    if (width !== tileSize.width || height !== tileSize.height) throw damaged('tiles');
    return { data: itemData(reader, items, id), config: readConfig(reader, items, id, coding) };
  });
  for (const { type, essential } of own) {
    if (essential && !KNOWN.includes(type))
      throw new MalformedImage(`The ${name} uses an unsupported feature (${type}).`);
  }
  const { crop, orientation } = readTransforms(reader, own, size);
  const colour = readColour(reader, own) ?? readColour(reader, items.properties.get(ids[0] ?? primary) ?? []);
  return {
    width: crop.width,
    height: crop.height,
    crop,
    orientation,
    tiles,
    columns: grid?.columns ?? 1,
    tileSize,
    colour,
  };
}

function damaged(what: string): MalformedImage {
  return new MalformedImage(`The file's ${what} are damaged.`);
}

function checkCoding(type: string | undefined, coding: Coding, name: string): void {
  if (type === coding) return;
  const other = type === undefined ? undefined : OTHER_CODINGS[type];
  if (!other) throw new MalformedImage(`The ${name} contains no picture that can be decoded.`);
  throw new UnsupportedMediaType(
    `This ${name} contains an ${other} picture, which is not supported. Save it as a JPEG.`,
  );
}

interface Grid extends Size {
  readonly rows: number;
  readonly columns: number;
  readonly inputs: readonly number[];
}

/** Reads a grid (ISO/IEC 23008-12, 6.6.2.3): version, flags, rows and columns less one, width and height. */
function readGrid(reader: ByteReader, items: Items): Grid {
  const [data, more] = itemData(reader, items, items.primary);
  if (!data || more) throw damaged('tiles');
  const box: Box = { type: 'grid', from: 0, to: data.length };
  const cursor = new BoxCursor(new ByteReader(data), box);
  cursor.next(1);
  const bytes = (cursor.next(1) & 1) === 0 ? 2 : 4;
  const rows = cursor.next(1) + 1;
  const columns = cursor.next(1) + 1;
  const inputs = items.inputs.get(items.primary) ?? [];
  if (inputs.length !== rows * columns) throw damaged('tiles');
  return { rows, columns, width: cursor.next(bytes), height: cursor.next(bytes), inputs };
}

/** Checks that the tiles cover the grid, and that none is outside it. */
function checkGrid({ rows, columns, width, height }: Grid, tile: Size): Size {
  const covers = (length: number, count: number, each: number) => length <= count * each && length > (count - 1) * each;
  if (!covers(width, columns, tile.width) || !covers(height, rows, tile.height)) throw damaged('tiles');
  return { width, height };
}

function readSize(reader: ByteReader, items: Items, id: number): Size {
  const size = findProperty(items, id, 'ispe');
  const cursor = new BoxCursor(reader, size);
  cursor.version();
  const [width, height] = [cursor.next(4), cursor.next(4)];
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) throw damaged('dimensions');
  return { width, height };
}

function readConfig(reader: ByteReader, items: Items, id: number, coding: Coding): Uint8Array {
  const { from, to } = findProperty(items, id, CONFIG[coding]);
  return reader.slice(from, to - from);
}

function findProperty(items: Items, id: number, type: string): Property {
  const property = items.properties.get(id)?.find((each) => each.type === type);
  if (!property) throw new MalformedImage(`The file has a picture without ${type} box.`);
  return property;
}

/** Layout of `nclx`: the type, primaries, transfer function and matrix in 16 bits each, and a flag. */
function readColour(reader: ByteReader, properties: readonly Property[]): Colour | undefined {
  for (const { type, from, to } of properties) {
    if (type !== 'colr' || to - from < 11 || reader.ascii(from, 4) !== 'nclx') continue;
    return { matrix: reader.u16(from + 8), fullRange: reader.u8(from + 10) >= 0x80 };
  }
  return undefined;
}

/** Bytes of all coded pictures. */
export function codedBytes(tiles: readonly Tile[]): number {
  return tiles.reduce((sum, { data }) => data.reduce((all, part) => all + part.length, sum), 0);
}

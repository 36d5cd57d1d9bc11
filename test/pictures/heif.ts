import { findCoding, readHeifPicture, type Tile } from '../../src/image/heif/picture.ts';
import { concat, utf8 } from './png.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A coded picture, taken from a file that an encoder wrote. */
export interface CodedPicture {
  readonly coding: 'hvc1' | 'av01';
  readonly data: Uint8Array;
  /** Payloads of its properties. */
  readonly config: Uint8Array;
  readonly size: readonly [width: number, height: number];
  readonly colour: { readonly matrix: number; readonly fullRange: boolean } | undefined;
}

/** Takes the picture out of a file with a single one. */
export function codedPicture(file: Uint8Array): CodedPicture {
  const coding = findCoding(file);
  if (!coding) throw new Error('Not a HEIF file.');
  const { tiles, tileSize, colour } = readHeifPicture(file, coding, 'file');
  const [tile] = tiles;
  if (!tile) throw new Error('No picture.');
  return { coding, ...joined(tile), size: [tileSize.width, tileSize.height], colour };
}

const joined = ({ data, config }: Tile) => ({ data: concat(data), config });

/** A property of the primary item, such as `irot`, and its payload. */
export type Transform = readonly [type: string, payload: Uint8Array];

/** `irot`: turns anticlockwise. */
export const irot = (quarters: number): Transform => ['irot', Uint8Array.of(quarters)];
/** `imir`: 0 exchanges top and bottom, 1 left and right. */
export const imir = (axis: number): Transform => ['imir', Uint8Array.of(axis)];
/** `clap`: the size to show, and the offset of its centre in halves of a pixel. */
export const clap = (width: number, height: number, x2 = 0, y2 = 0): Transform => [
  'clap',
  concat([u32(width), u32(1), u32(height), u32(1), u32(x2), u32(2), u32(y2), u32(2)]),
];

/** Transforms for each value of EXIF's orientation. */
export const ORIENTING: Record<number, readonly Transform[]> = {
  1: [],
  2: [imir(1)],
  3: [irot(2)],
  4: [imir(0)],
  5: [irot(1), imir(0)],
  6: [irot(3)],
  7: [irot(3), imir(0)],
  8: [irot(1)],
};

export interface HeifOptions {
  readonly transforms?: readonly Transform[];
  /** Size of the grid, and its columns; a single picture by default. */
  readonly grid?: { readonly width: number; readonly height: number; readonly columns: number };
  readonly brand?: string;
  /** Type of the tiles' items; that of their coding by default. */
  readonly type?: string;
  /** Stores all data in `idat` instead of `mdat`. */
  readonly inside?: boolean;
  /** Splits each tile's data into this many extents. */
  readonly extents?: number;
  /** Adds an EXIF item with this orientation, which readers ignore. */
  readonly exif?: number;
}

/** Writes a HEIF file (ISO/IEC 23008-12) with a single picture, or with a grid of tiles. */
export function writeHeif(tiles: readonly CodedPicture[], options: HeifOptions = {}): Bytes {
  const { transforms = [], grid, inside = false, extents = 1, exif } = options;
  const [first] = tiles;
  if (!first) throw new Error('No tiles.');
  const type = options.type ?? first.coding;
  const brand = options.brand ?? (first.coding === 'av01' ? 'avif' : 'heic');
  const shared = [
    box('ispe', u32(0), u32(first.size[0]), u32(first.size[1])),
    box(first.coding === 'av01' ? 'av1C' : 'hvcC', first.config),
    ...(first.colour ? [box('colr', utf8('nclx'), nclx(first.colour))] : []),
  ];
  const properties = [
    ...shared,
    ...(grid ? [box('ispe', u32(0), u32(grid.width), u32(grid.height))] : []),
    ...transforms.map(([name, payload]) => box(name, payload)),
  ];
  const primary = grid ? tiles.length + 1 : 1;
  const own = properties.map((_, i) => i + 1).slice(shared.length);
  const ofTile = shared.map((_, i) => i + 1);
  const items = tiles.map((tile, i) => ({
    id: i + 1,
    type,
    data: tile.data,
    properties: grid ? ofTile : [...ofTile, ...own],
  }));
  if (grid) {
    const rows = tiles.length / grid.columns;
    const data = concat([Uint8Array.of(0, 0, rows - 1, grid.columns - 1), u16(grid.width), u16(grid.height)]);
    items.push({ id: primary, type: 'grid', data, properties: own });
  }
  if (exif !== undefined) {
    const data = Uint8Array.of(0, 0, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, exif, 0, 0);
    items.push({ id: primary + 1, type: 'Exif', data: concat([data, u32(0)]), properties: [] });
  }
  const data = concat(items.map((item) => item.data));
  const start = box('ftyp', utf8(brand), u32(0), utf8(`mif1${brand}`));
  const meta = (offset: number) => {
    let at = offset;
    const locations = items.map((item) => {
      const piece = Math.ceil(item.data.length / extents);
      const pieces = Array.from({ length: extents }, (_, i) => {
        const length = Math.min(piece, item.data.length - i * piece);
        at += length;
        return [u32(at - length), u32(length)];
      });
      const construction = inside ? u16(1) : u16(0);
      return concat([u16(item.id), construction, u16(0), u16(extents), ...pieces.flat()]);
    });
    return box(
      'meta',
      u32(0),
      box('hdlr', u32(0), u32(0), utf8('pict'), new Uint8Array(13)),
      box('pitm', u32(0), u16(primary)),
      box('iloc', u32(0x1000000), u16(0x4400), u16(items.length), ...locations),
      box(
        'iinf',
        u32(0),
        u16(items.length),
        ...items.map(({ id, type }) => box('infe', u32(0x2000000), u16(id), u16(0), utf8(type), Uint8Array.of(0))),
      ),
      ...(grid
        ? [box('iref', u32(0), box('dimg', u16(primary), u16(tiles.length), ...tiles.map((_, i) => u16(i + 1))))]
        : []),
      box(
        'iprp',
        box('ipco', ...properties),
        box(
          'ipma',
          u32(0),
          u32(items.length),
          ...items.map((item) => concat([u16(item.id), Uint8Array.of(item.properties.length, ...item.properties)])),
        ),
      ),
      ...(inside ? [box('idat', data)] : []),
    );
  };
  if (inside) return concat([start, meta(0)]);
  return concat([start, meta(start.length + meta(0).length + 8), box('mdat', data)]);
}

function nclx({ matrix, fullRange }: { matrix: number; fullRange: boolean }): Bytes {
  return concat([u16(2), u16(2), u16(matrix), Uint8Array.of(fullRange ? 0x80 : 0)]);
}

function box(type: string, ...payload: readonly Uint8Array[]): Bytes {
  const content = concat(payload);
  return concat([u32(content.length + 8), utf8(type), content]);
}

const u16 = (value: number): Bytes => Uint8Array.of(value >> 8, value);
const u32 = (value: number): Bytes => Uint8Array.of(value >>> 24, value >> 16, value >> 8, value);

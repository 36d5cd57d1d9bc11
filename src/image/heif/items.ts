import { MalformedImage } from '../../errors.ts';
import type { ByteReader } from '../bytes.ts';
import { type Box, BoxCursor, readBoxes } from './boxes.ts';

/** Bounds the tables; a photo of 200 megapixels has 800 tiles, and as many in its gain map. */
const MAX_ITEMS = 4_096;
const MAX_EXTENTS = 16_384;
const MAX_ASSOCIATIONS = 65_536;

/** The items of a `meta` box (ISO/IEC 14496-12, 8.11): pictures, tiles, metadata. */
export interface Items {
  readonly primary: number;
  /** Type of each item, such as `hvc1`. */
  readonly types: ReadonlyMap<number, string>;
  /** Items that an item is derived from, such as a grid's tiles in reading order. */
  readonly inputs: ReadonlyMap<number, readonly number[]>;
  /** Properties of each item in the order in which they apply. */
  readonly properties: ReadonlyMap<number, readonly Property[]>;
  readonly locations: ReadonlyMap<number, Location>;
  /** Payload of the `idat` box, if any. */
  readonly data: Box | undefined;
}

export interface Property extends Box {
  /** Whether a reader that does not know it must not show the item. */
  readonly essential: boolean;
}

interface Location {
  /** 0: positions in the file, 1: positions in `idat`. */
  readonly construction: number;
  readonly extents: readonly (readonly [from: number, length: number])[];
}

type Children = ReadonlyMap<string, Box>;

/** Reads the tables of the first `meta` box. */
export function readItems(reader: ByteReader): Items {
  const meta = find(readBoxes(reader, 0, reader.length), 'meta');
  if (!meta) throw new MalformedImage('The file contains no still picture.');
  const children: Children = new Map(
    // Later boxes of a type do not replace the first one.
    [...readBoxes(reader, meta.from + 4, meta.to)].reverse().map((box) => [box.type, box]),
  );
  const cursor = (type: string): BoxCursor => {
    const box = children.get(type);
    if (!box) throw new MalformedImage(`The file has no ${type} box.`);
    return new BoxCursor(reader, box);
  };
  const references = children.get('iref');
  return {
    primary: readPrimary(cursor('pitm')),
    types: readTypes(reader, children.get('iinf')),
    inputs: references ? readInputs(reader, references) : new Map(),
    properties: readProperties(reader, children.get('iprp')),
    locations: readLocations(cursor('iloc')),
    data: children.get('idat'),
  };
}

function find(boxes: Iterable<Box>, type: string): Box | undefined {
  for (const box of boxes) if (box.type === type) return box;
  return undefined;
}

function readPrimary(cursor: BoxCursor): number {
  return cursor.next(cursor.version().version === 0 ? 2 : 4);
}

/** Reads `iinf`: the number of items, then an `infe` box for each. */
function readTypes(reader: ByteReader, box: Box | undefined): Map<number, string> {
  if (!box) throw new MalformedImage('The file has no iinf box.');
  const types = new Map<number, string>();
  const header = new BoxCursor(reader, box).version().version === 0 ? 6 : 8;
  for (const entry of readBoxes(reader, box.from + header, box.to)) {
    if (entry.type !== 'infe') continue;
    const cursor = new BoxCursor(reader, entry);
    const { version } = cursor.version();
    if (version < 2) continue;
    const id = cursor.next(version === 2 ? 2 : 4);
    const scrambled = cursor.next(2) !== 0;
    bound(types.size, MAX_ITEMS);
    types.set(id, scrambled ? 'encrypted' : cursor.ascii(4));
  }
  return types;
}

/** Reads the `dimg` references of `iref`. */
function readInputs(reader: ByteReader, box: Box): Map<number, number[]> {
  const inputs = new Map<number, number[]>();
  const bytes = new BoxCursor(reader, box).version().version === 0 ? 2 : 4;
  for (const reference of readBoxes(reader, box.from + 4, box.to)) {
    if (reference.type !== 'dimg') continue;
    const cursor = new BoxCursor(reader, reference);
    const from = cursor.next(bytes);
    const count = cursor.next(2);
    bound(count - 1, MAX_ITEMS);
    bound(inputs.size, MAX_ITEMS);
    inputs.set(
      from,
      Array.from({ length: count }, () => cursor.next(bytes)),
    );
  }
  return inputs;
}

/** Reads `iprp`: a list of properties, and the indices of those that belong to each item. */
function readProperties(reader: ByteReader, box: Box | undefined): Map<number, Property[]> {
  if (!box) throw new MalformedImage('The file has no iprp box.');
  const children = [...readBoxes(reader, box.from, box.to)];
  const list = children.find(({ type }) => type === 'ipco');
  const all = list ? [...readBoxes(reader, list.from, list.to)] : [];
  const properties = new Map<number, Property[]>();
  let total = 0;
  for (const child of children) {
    if (child.type !== 'ipma') continue;
    const cursor = new BoxCursor(reader, child);
    const { version, flags } = cursor.version();
    const [indexBytes, mark] = (flags & 1) === 0 ? [1, 0x80] : [2, 0x8000];
    for (let left = cursor.next(4); left > 0; left--) {
      const id = cursor.next(version === 0 ? 2 : 4);
      const count = cursor.next(1);
      total += count;
      bound(total, MAX_ASSOCIATIONS);
      bound(properties.size, MAX_ITEMS);
      const own: Property[] = [];
      for (let i = 0; i < count; i++) {
        const value = cursor.next(indexBytes);
        // Index 0 means no property.
        const property = all[(value & (mark - 1)) - 1];
        if (property) own.push({ ...property, essential: value >= mark });
      }
      properties.set(id, own);
    }
  }
  return properties;
}

function readLocations(cursor: BoxCursor): Map<number, Location> {
  const { version } = cursor.version();
  const sizes = cursor.next(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  const idBytes = version < 2 ? 2 : 4;
  const locations = new Map<number, Location>();
  let total = 0;
  for (let left = cursor.next(idBytes); left > 0; left--) {
    const id = cursor.next(idBytes);
    const construction = version === 0 ? 0 : cursor.next(2) & 15;
    // Items of other files are not read.
    const elsewhere = cursor.next(2) !== 0;
    const base = cursor.next(baseBytes);
    const count = cursor.next(2);
    total += count;
    bound(total, MAX_EXTENTS);
    bound(locations.size, MAX_ITEMS);
    const extents = Array.from({ length: count }, () => {
      cursor.next(indexBytes);
      const from = base + cursor.next(offsetBytes);
      return [from, cursor.next(lengthBytes)] as const;
    });
    locations.set(id, { construction: elsewhere ? -1 : construction, extents });
  }
  return locations;
}

function bound(count: number, limit: number): void {
  if (count >= limit) throw new MalformedImage('The file has too many items.');
}

/** Returns the pieces of an item's data, as views of the file. */
export function itemData(reader: ByteReader, items: Items, id: number): readonly Uint8Array[] {
  const location = items.locations.get(id);
  if (!location) throw new MalformedImage('The file has a picture without data.');
  const { construction, extents } = location;
  if (construction === 0) return extents.map(([from, length]) => nonEmpty(reader.slice(from, length)));
  const { data } = items;
  if (construction !== 1 || !data) throw new MalformedImage('The file stores its picture in an unsupported way.');
  return extents.map(([from, length]) => {
    if (from + length > data.to - data.from) throw new MalformedImage('The file is truncated.');
    return nonEmpty(reader.slice(data.from + from, length));
  });
}

function nonEmpty(part: Uint8Array): Uint8Array {
  if (part.length === 0) throw new MalformedImage('The file has a picture without data.');
  return part;
}

/** Photos with random marks, and a search for these marks in everything that a Worker stores or logs. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import drawn from '../src/pictures/pictures.json' with { type: 'json' };
import type { RunningWorker } from './wrangler.ts';

/** Random values that occur nowhere else. */
export interface Marks {
  /** In file names and headers. */
  readonly name: string;
  /** In EXIF and in comments. */
  readonly exif: string;
  /** In the compressed bytes and in the pixels. */
  readonly bytes: Buffer;
  /** The beginning of all addresses, from the range for documentation (RFC 3849). */
  readonly address: string;
}

export function newMarks(): Marks {
  const word = () => `mark${randomBytes(9).toString('hex')}`;
  return {
    name: word(),
    exif: word(),
    bytes: randomBytes(24),
    address: `2001:db8:${randomBytes(2).toString('hex')}:`,
  };
}

/** A PNG with the marks in its pixels, EXIF and comment. It is not compressed, so its bytes contain its pixels. */
export function markedPng({ bytes, exif }: Marks): Buffer<ArrayBuffer> {
  const [width, height] = [bytes.byteLength / 3, 8];
  const row = Buffer.concat([Buffer.of(0), bytes]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // eight bits, RGB
  return Buffer.concat([
    Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from(`Comment\0${exif}`)),
    chunk('eXIf', exifBlock(exif)),
    chunk('IDAT', deflateSync(Buffer.concat(Array(height).fill(row)), { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A JPEG with the marks in its EXIF and comment. */
export function markedJpeg({ exif, bytes }: Marks): Buffer<ArrayBuffer> {
  const plain = drawn.pictures.find(({ file }) => file.startsWith('/9j/'));
  if (!plain) throw new Error('There is no JPEG among the pictures.');
  const jpeg = Buffer.from(plain.file, 'base64');
  const app1 = Buffer.concat([Buffer.from('Exif\0\0'), exifBlock(exif)]);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    segment(0xe1, app1),
    segment(0xfe, Buffer.concat([Buffer.from(exif), bytes])),
    jpeg.subarray(2),
  ]);
}

/** A TIFF structure with one field, ImageDescription. */
function exifBlock(text: string): Buffer {
  const value = Buffer.from(`${text}\0`);
  const block = Buffer.alloc(26);
  block.write('MM\0*', 'latin1');
  block.writeUInt32BE(8, 4);
  block.writeUInt16BE(1, 8);
  block.writeUInt16BE(0x010e, 10);
  block.writeUInt16BE(2, 12);
  block.writeUInt32BE(value.byteLength, 14);
  block.writeUInt32BE(26, 18);
  return Buffer.concat([block, value]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.byteLength, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(data.byteLength + 2, 2);
  return Buffer.concat([head, data]);
}

/** Each mark in every encoding in which it might be stored. */
function listNeedles({ name, exif, bytes }: Marks): readonly Buffer[] {
  return [Buffer.from(name), Buffer.from(exif), bytes].flatMap(encode);
}

function encode(mark: Buffer): readonly Buffer[] {
  const base64 = [0, 1, 2].map((offset) => {
    // The offset decides the base64 of a mark. Its first and last characters depend on the bytes around it.
    const text = Buffer.concat([Buffer.alloc(offset), mark]).toString('base64');
    return text.slice(4, -4);
  });
  const hex = mark.toString('hex');
  const texts = [hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text));
  return [mark, Buffer.from(mark.toString('latin1'), 'utf16le'), Buffer.from(mark.join(',')), ...texts];
}

/** Where marks can be found: in the log, the bucket, the cache, or other state on disk. */
export type Place = 'log' | 'R2' | 'cache' | 'state';

/** Searches everything that the Worker has stored and logged for the marks. */
export async function findMarks(worker: RunningWorker, marks: Marks): Promise<readonly Place[]> {
  const needles = listNeedles(marks);
  const address = Buffer.from(marks.address);
  const has = (content: Buffer | string, all: readonly Buffer[] = [...needles, address]) => {
    const haystack = Buffer.from(content);
    return all.some((needle) => haystack.includes(needle));
  };
  const places = new Set<Place>();
  await worker.bucket(async (r2) => {
    const { objects, truncated } = await r2.list({ include: ['customMetadata', 'httpMetadata'] });
    if (truncated) throw new Error('The bucket has more objects than one list returns.');
    for (const { key, ...about } of objects) {
      const body = await (await r2.get(key))?.arrayBuffer();
      const metadata = JSON.stringify([about.customMetadata, about.httpMetadata]);
      if (has(key) || has(metadata) || has(Buffer.from(body ?? new ArrayBuffer(0)))) places.add('R2');
    }
  });
  for (const path of await listFiles(worker.folder)) {
    const place = placeOf(path);
    if (!place) continue;
    // Rate limits count by address, so their state may contain addresses.
    const wanted = /^v3.ratelimit./.test(path) ? needles : undefined;
    if (has(path) || has(await readFile(join(worker.folder, path)), wanted)) places.add(place);
  }
  // The log comes last, to include late lines.
  if (has(worker.logs())) places.add('log');
  return [...places];
}

/** The place that a state file of the local platform belongs to; undefined for the bucket, which is searched above. */
function placeOf(path: string): Place | undefined {
  const [, store = ''] = path.split(sep);
  // `observability` holds the log and the traces that the platform would show.
  const known: Record<string, Place | undefined> = { r2: undefined, cache: 'cache', observability: 'log' };
  return store in known ? known[store] : 'state';
}

/** All files of the folder, as paths relative to it. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { resizedJpeg } from '../hostile.ts';
import type { Picture } from '../pictures.ts';

export interface File {
  readonly bytes: Buffer;
  readonly type: string;
}

/** Files whose headers claim more pixels than are accepted; what follows is the picture's own. */
export function claimingFiles(pictures: readonly Picture[]): File[] {
  return pictures.flatMap(({ bytes, type }): File[] => {
    switch (type) {
      case 'image/jpeg':
        return [14_500, 30_000, 65_500].map((side) => ({ bytes: resizedJpeg(bytes, side), type }));
      case 'image/png':
        return [30_000, 100_000].map((side) => ({ bytes: resizedPng(bytes, side), type }));
      case 'image/gif':
        return [10_500, 65_535].map((side) => ({ bytes: resizedGif(bytes, side), type }));
      default:
        return [];
    }
  });
}

/** Another size in IHDR, which comes first; its checksum is right. */
function resizedPng(png: Buffer, side: number): Buffer {
  const copy = Buffer.from(png);
  copy.writeUInt32BE(side, 16);
  copy.writeUInt32BE(side, 20);
  copy.writeUInt32BE(crc32(copy.subarray(12, 29)), 29);
  return copy;
}

/** Another size of the screen and of the first frame. */
function resizedGif(gif: Buffer, side: number): Buffer {
  const copy = Buffer.from(gif);
  const flags = copy[10] ?? 0;
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  // Extensions: a label, then blocks up to an empty one.
  while (copy[at] === 0x21) {
    for (at += 2; copy[at] !== 0; at += 1 + (copy[at] ?? 0));
    at++;
  }
  for (const offset of [6, 8, at + 5, at + 7]) copy.writeUInt16LE(side, offset);
  return copy;
}

/** What is no photo at all, whatever it is called. */
export const WRONG_FILES: readonly File[] = [
  { bytes: Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'), type: 'image/jpeg' },
  { bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), type: 'image/svg+xml' },
  { bytes: Buffer.from('<!doctype html><title>A photo</title>'), type: 'image/png' },
  { bytes: Buffer.concat([Buffer.from('BM'), Buffer.alloc(5_000, 7)]), type: 'image/bmp' },
  { bytes: Buffer.from('II*\0\x08\0\0\0', 'latin1'), type: 'image/tiff' },
  { bytes: Buffer.from('....ftypavif', 'latin1'), type: 'application/octet-stream' },
  { bytes: Buffer.from('{"image": "aGVsbG8="}'), type: 'application/json' },
  { bytes: Buffer.from('file=photo.jpg'), type: 'application/x-www-form-urlencoded' },
  { bytes: Buffer.alloc(200_000), type: 'application/octet-stream' },
];

/** A form of these files, each a field `file`. */
export function formOf(files: readonly File[], field = 'file'): File {
  const boundary = `----${randomBytes(12).toString('hex')}`;
  const parts = files.flatMap(({ bytes, type }, i) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${i}"\r\nContent-Type: ${type}\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return {
    bytes: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

import { crc32 } from 'node:zlib';
import type { Random } from '../random.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const below = (random: Random, limit: number) => Math.floor(random() * limit);

/** Values that break decoders more often than others. */
const AWKWARD = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];

function flip(random: Random, bytes: Bytes, from = 0, to = bytes.length): void {
  const changes = 1 + below(random, 4);
  for (let change = 0; change < changes; change++) {
    const at = from + below(random, to - from);
    const awkward = AWKWARD[below(random, AWKWARD.length)] ?? 0;
    bytes[at] = random() < 0.5 ? awkward : below(random, 256);
  }
}

/** Changes bytes inside a chunk and corrects its checksum, so that the file passes the header check. */
function spoilPng(random: Random, file: Bytes): Bytes {
  const bytes = file.slice();
  const view = new DataView(bytes.buffer);
  const chunks: { from: number; to: number }[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (length > 0) chunks.push({ from: at + 8, to: at + 8 + length });
    at += 12 + length;
  }
  const chunk = chunks[below(random, chunks.length)];
  if (!chunk) return bytes;
  flip(random, bytes, chunk.from, chunk.to);
  view.setUint32(chunk.to, crc32(bytes.subarray(chunk.from - 4, chunk.to)));
  return bytes;
}

const isHeif = (file: Bytes) => new TextDecoder('latin1').decode(file.subarray(4, 8)) === 'ftyp';

/** Changes bytes of the coded picture, so that the file passes the header check. */
function spoilHeif(random: Random, file: Bytes): Bytes {
  const bytes = file.slice();
  flip(random, bytes, new TextDecoder('latin1').decode(bytes).indexOf('mdat') + 4);
  return bytes;
}

/** Spoils one of the files: changes, truncates, repeats or removes bytes, or replaces all but its start with noise. */
export function spoil(random: Random, files: readonly Bytes[]): Bytes {
  const file = files[below(random, files.length)] ?? new Uint8Array();
  const png = file[0] === 0x89;
  const kind = random();
  if (png && kind < 0.7) return spoilPng(random, file);
  if (isHeif(file) && kind < 0.65) return spoilHeif(random, file);
  const bytes = file.slice();
  if (kind < 0.7) {
    flip(random, bytes);
    return bytes;
  }
  const at = below(random, bytes.length);
  if (kind < 0.8) return bytes.slice(0, at);
  const length = below(random, bytes.length - at);
  if (kind < 0.85) return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
  if (kind < 0.9) return Uint8Array.of(...bytes.subarray(0, at + length), ...bytes.subarray(at));
  const noise = Uint8Array.from({ length: 16 + below(random, 4_000) }, () => below(random, 256));
  noise.set(bytes.subarray(0, below(random, 16)));
  return noise;
}

/** Files that browsers draw otherwise than the service does, and siblings that they draw alike. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { clap, codedPicture, irot, type Transform, writeHeif } from '../pictures/heif.ts';
import { seeded } from '../random.ts';
import heif from '../src/pictures/heif.json' with { type: 'json' };

export interface NamedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const [WIDTH, HEIGHT] = [96, 64];
const random = seeded(7);
// Bright noise: a husky to the model `brightness`, and too little compressible to fit into the first half of a file.
const pixels = Buffer.from(Array.from({ length: WIDTH * HEIGHT * 3 }, () => 200 + 55 * random()));
const drawn = () => sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

const jpeg = await drawn().jpeg().toBuffer();
const png = await drawn().png().toBuffer();
const webp = await drawn().webp().toBuffer();
const complete: readonly NamedFile[] = [
  { name: 'baseline.jpg', bytes: jpeg },
  { name: 'progressive.jpg', bytes: await drawn().jpeg({ progressive: true }).toBuffer() },
  { name: 'cut.png', bytes: png },
  { name: 'cut.gif', bytes: await drawn().gif().toBuffer() },
  { name: 'lossy.webp', bytes: webp },
  { name: 'lossless.webp', bytes: await drawn().webp({ lossless: true }).toBuffer() },
];

/** Files without their second half. */
export const CUT_OFF: readonly NamedFile[] = complete.map(({ name, bytes }) => ({
  name,
  bytes: bytes.subarray(0, bytes.length / 2),
}));

const EXIF = Buffer.from('Exif\0\0');
const xmp = (orientation: number, isElement = false) =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
  xmlns:tiff="http://ns.adobe.com/tiff/1.0/" ${
    isElement ? `><tiff:Orientation>${orientation}</tiff:Orientation>` : `tiff:Orientation="${orientation}">`
  }</rdf:Description></rdf:RDF></x:xmpmeta>`;

/** EXIF with an orientation, as the SHORT of the standard or as a LONG. */
function exif(orientation: number, isLong = false): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write('MM\0*', 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(1, 8);
  tiff.writeUInt16BE(0x0112, 10);
  tiff.writeUInt16BE(isLong ? 4 : 3, 12);
  tiff.writeUInt32BE(1, 14);
  if (isLong) tiff.writeUInt32BE(orientation, 18);
  else tiff.writeUInt16BE(orientation, 18);
  return tiff;
}

/** A JPEG with these APP1 segments. */
function withSegments(...payloads: readonly Buffer[]): Buffer {
  const segments = payloads.flatMap((payload) => {
    const head = Buffer.of(0xff, 0xe1, 0, 0);
    head.writeUInt16BE(payload.length + 2, 2);
    return [head, payload];
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

const exifSegment = (orientation: number, isLong = false) => Buffer.concat([EXIF, exif(orientation, isLong)]);
const xmpSegment = (...args: Parameters<typeof xmp>) => Buffer.from(`http://ns.adobe.com/xap/1.0/\0${xmp(...args)}`);

/** A PNG with one more chunk, after the header or after the pixels. */
function withPngChunk(type: string, data: Buffer | string, at = 33): Buffer {
  const body = Buffer.concat([Buffer.from(type), Buffer.from(data)]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(body.length - 4);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([png.subarray(0, at), frame.subarray(0, 4), body, frame.subarray(4), png.subarray(at)]);
}

/** A WebP in its extended form, with one more chunk. */
function withWebpChunk(type: 'EXIF' | 'XMP ', data: Buffer): Buffer {
  const chunk = (name: string, content: Buffer) => {
    const head = Buffer.from(`${name}size`);
    head.writeUInt32LE(content.length, 4);
    return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
  };
  const features = Buffer.alloc(10);
  features[0] = type === 'EXIF' ? 8 : 4;
  features.writeUIntLE(WIDTH - 1, 4, 3);
  features.writeUIntLE(HEIGHT - 1, 7, 3);
  const picture = webp.subarray(12);
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), chunk('VP8X', features), picture, chunk(type, data)]));
}

const avif = await drawn().avif().toBuffer();
const withTransforms = (...transforms: readonly Transform[]) =>
  Buffer.from(writeHeif([codedPicture(avif)], { transforms }));

/** A HEIC, which none of the tested browsers draws. */
export const HEIC: NamedFile = {
  name: 'phone.heic',
  bytes: Buffer.from(heif.pictures.find(({ name }) => name === 'heic 4:2:0')?.file ?? '', 'base64'),
};

const rawProfile = `\nexif\n${String(32).padStart(8)}\n${exifSegment(6).toString('hex')}\n`;

/** Files with an orientation, or a crop, that at least one browser ignores. */
export const TURNED_UNSEEN: readonly NamedFile[] = [
  { name: 'xmp-attribute.jpg', bytes: withSegments(xmpSegment(6)) },
  { name: 'xmp-element.jpg', bytes: withSegments(xmpSegment(8, true)) },
  {
    name: 'exif-without-orientation.jpg',
    bytes: withSegments(Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0'), xmpSegment(6)),
  },
  { name: 'long.jpg', bytes: withSegments(exifSegment(6, true)) },
  { name: 'twice.jpg', bytes: withSegments(Buffer.concat([EXIF, exifSegment(6)])) },
  { name: 'exif.png', bytes: withPngChunk('eXIf', exif(6)) },
  { name: 'exif-last.png', bytes: withPngChunk('eXIf', exif(3), png.length - 12) },
  { name: 'xmp.png', bytes: withPngChunk('iTXt', `XML:com.adobe.xmp\0\0\0\0\0${xmp(6)}`) },
  {
    name: 'compressed-xmp.png',
    bytes: withPngChunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0'), deflateSync(xmp(6))])),
  },
  { name: 'profile.png', bytes: withPngChunk('tEXt', `Raw profile type exif\0${rawProfile}`) },
  {
    name: 'compressed-profile.png',
    bytes: withPngChunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0'), deflateSync(rawProfile)])),
  },
  { name: 'exif.webp', bytes: withWebpChunk('EXIF', exif(6)) },
  { name: 'xmp.webp', bytes: withWebpChunk('XMP ', Buffer.from(xmp(6))) },
  { name: 'turned.avif', bytes: withTransforms(irot(1)) },
  { name: 'cropped.avif', bytes: withTransforms(clap(WIDTH / 2, HEIGHT / 2)) },
];

/** Files that browsers draw completely and upright. */
export const DRAWN_RIGHT: readonly NamedFile[] = [
  ...complete,
  { name: 'exif.jpg', bytes: withSegments(exifSegment(6)) },
  { name: 'exif-and-xmp.jpg', bytes: withSegments(exifSegment(6), xmpSegment(6)) },
  { name: 'upright-exif.jpg', bytes: withSegments(exifSegment(1), xmpSegment(6)) },
  { name: 'upright-xmp.jpg', bytes: withSegments(xmpSegment(1)) },
  { name: 'upright-exif.png', bytes: withPngChunk('eXIf', exif(1)) },
  { name: 'upright-exif.webp', bytes: withWebpChunk('EXIF', exif(1)) },
  { name: 'plain.avif', bytes: avif },
  { name: 'thumbnail.jpg', bytes: withSegments(Buffer.concat([exifSegment(1), jpeg])) },
  { name: 'trailer.jpg', bytes: Buffer.concat([jpeg, Buffer.from('SEFT and more after the picture')]) },
];

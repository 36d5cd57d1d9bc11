import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, joinPng, type PngChunk, splitPng } from '../pictures/containers.ts';
import { utf8 } from '../pictures/png.ts';
import heif from '../src/pictures/heif.json' with { type: 'json' };
import { CUT_OFF, DRAWN_RIGHT, HEIC, TURNED_UNSEEN } from './page-files.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

/** Files and requests that other tools send or open, through a running service. */

const FRIEND = 'https://friend.test';

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ model: 'brightness', vars: { CORS_ORIGINS: FRIEND } });
});

afterAll(() => worker?.stop());

interface Reply {
  readonly status: number;
  readonly score?: number;
  readonly image?: { readonly format: string; readonly width: number; readonly height: number };
  readonly code?: string;
  readonly detail?: string;
}

async function send(body: Uint8Array, type = 'application/octet-stream', path = '/api/predict'): Promise<Reply> {
  const headers = { 'Content-Type': type };
  const response = await fetch(`${worker.url}${path}`, { method: 'POST', body: new Uint8Array(body), headers });
  return { ...(await response.json()), status: response.status };
}

const named = (name: string) => DRAWN_RIGHT.find((file) => file.name === name)?.bytes ?? Buffer.alloc(0);
const [jpeg, png, gif] = [named('baseline.jpg'), named('cut.png'), named('cut.gif')];
const avif = Buffer.from(heif.pictures.find(({ name }) => name === 'avif 4:2:0')?.file ?? '', 'base64');

/** Asserts that a file is taken and scores like the plain one. */
async function expectSame(file: Uint8Array, plain: Uint8Array): Promise<void> {
  const [odd, usual] = [await send(file), await send(plain)];
  expect(odd).toEqual(usual);
  expect(odd.status).toBe(200);
}

describe('an odd file shows what other tools show', () => {
  test('a baseline JPEG whose scan claims to start with coefficient 1', async () => {
    const noise = { type: 'gaussian', mean: 170, sigma: 50 } as const;
    const large = await sharp({ create: { width: 1300, height: 1200, channels: 3, background: '#888', noise } })
      .jpeg()
      .toBuffer();
    const scan = large.indexOf(Buffer.of(0xff, 0xda));
    const odd = Buffer.from(large);
    odd.set([1, 0x3f, 0], scan + 2 + large.readUInt16BE(scan + 2) - 3);
    expect(odd.equals(large)).toBe(false);
    await expectSame(odd, large);
  });

  test.each(TURNED_UNSEEN.filter(({ name }) => name !== 'cropped.avif'))(
    'turned upright: $name',
    async ({ name, bytes }) => {
      const { status, image } = await send(bytes);
      expect(status).toBe(200);
      expect(image).toMatchObject(name === 'exif-last.png' ? { width: 96, height: 64 } : { width: 64, height: 96 });
    },
  );

  const [header, ...rest] = splitPng(png) as [PngChunk, ...PngChunk[]];
  const data = { type: 'IDAT', data: concat(...rest.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data)) };
  const text = { type: 'tEXt', data: utf8('Comment\0a dog') };
  const end = { type: 'IEND', data: new Uint8Array() };
  const wrong = (chunk: PngChunk): PngChunk => ({ ...chunk, crc: 1 });
  test.each([
    ['a wrong CRC in an ancillary chunk', joinPng([header, wrong(text), data, end])],
    ['a wrong CRC in its last data', joinPng([header, wrong(data), end])],
    ['a wrong CRC in IEND', joinPng([header, data, wrong(end)])],
    ['nothing after its data', joinPng([header, data])],
    ['an empty second run of data', joinPng([header, data, text, { ...data, data: new Uint8Array() }, end])],
  ])('a PNG with %s', (_, file) => expectSame(file, png));

  test('a GIF with stray zeros between its blocks', () => {
    const colours = 13 + (3 << (((gif[10] ?? 0) & 7) + 1));
    return expectSame(Buffer.concat([gif.subarray(0, colours), Buffer.alloc(3), gif.subarray(colours)]), gif);
  });

  test.each(CUT_OFF)('half a file is damaged: $name', async ({ bytes }) => {
    expect(await send(bytes)).toMatchObject({ status: 422, code: 'malformed_image' });
  });

  /** The JPEG as if it started with another kind of frame. */
  const framed = (marker: number) => {
    const copy = Buffer.from(jpeg);
    copy[copy.indexOf(Buffer.of(0xff, 0xc0)) + 1] = marker;
    return copy;
  };
  test.each([
    ['Lossless JPEGs', framed(0xc3)],
    ['Arithmetic-coded JPEGs', framed(0xc9)],
    ["Apple's CgBI variant", joinPng([{ type: 'CgBI', data: new Uint8Array(4) }, header, ...rest])],
    ['This is a TIFF.', utf8('II*\0\x08\0\0\0\0\0')],
    ['This is a QuickTime video.', utf8('\0\0\0\x14ftypqt  \0\0\0\0qt  ')],
  ])('what cannot be decoded is named: %s', async (words, file) => {
    const { status, detail } = await send(file);
    expect(status).toBe(415);
    expect(detail).toContain(words);
  });
});

describe('an odd request is understood', () => {
  const DISPOSITION = 'Content-Disposition: form-data; name="file"; filename="p.jpg"';
  const part = (file: Uint8Array, header: string | Uint8Array = DISPOSITION) =>
    concat(utf8('--X\r\n'), typeof header === 'string' ? utf8(header) : header, utf8('\r\n\r\n'), file);
  const close = utf8('\r\n--X--\r\n');
  const nameless = concat(
    utf8('Content-Disposition: form-data; name="file"; filename="'),
    Uint8Array.of(0xe4, 0xff, 0x80),
    utf8('.jpg"'),
  );
  test.each([
    ['a file name that is not UTF-8', concat(part(jpeg, nameless), close)],
    ['a line break before the first boundary', concat(utf8('\r\n'), part(jpeg), close)],
    ['a preamble', concat(utf8('For old mail programs.\r\n'), part(jpeg), close)],
    ['no closing boundary', part(jpeg)],
  ])('a form with %s', async (_, body) => {
    const plain = await send(jpeg);
    expect(await send(body, 'multipart/form-data; boundary=X')).toEqual(plain);
    expect(plain.status).toBe(200);
  });

  test('one bad name holds up no other photo of a batch', async () => {
    const body = concat(part(jpeg, nameless), utf8('\r\n'), part(png), close);
    const response = await fetch(`${worker.url}/api/predict`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'multipart/form-data; boundary=X' },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject([{ image: { format: 'jpeg' } }, { image: { format: 'png' } }]);
  });

  test('a form without a boundary is refused as such', async () => {
    const { status, detail } = await send(concat(part(jpeg), close), 'multipart/form-data');
    expect(status).toBe(400);
    expect(detail).toContain('boundary');
  });

  test.each(['application/x-www-form-urlencoded', 'image/gif'])('bytes that are sent as %s', async (type) => {
    expect(await send(jpeg, type)).toEqual(await send(jpeg, 'image/jpeg'));
  });

  test.each([
    ['heic', HEIC.bytes],
    ['avif', avif],
  ] as const)('a %s that is named .jpg', async (format, file) => {
    const body = concat(part(file, `${DISPOSITION}\r\nContent-Type: image/jpeg`), close);
    expect(await send(body, 'multipart/form-data; boundary=X')).toMatchObject({ status: 200, image: { format } });
    expect(await send(file, 'image/jpeg')).toMatchObject({ status: 200, image: { format } });
  });

  test('the original’s endpoint keeps its three formats', async () => {
    for (const file of [jpeg, png, gif])
      expect(await send(file, undefined, '/huskyai/')).toMatchObject({ status: 200 });
    for (const [name, file] of [
      ['a HEIC', HEIC.bytes],
      ['an AVIF', avif],
      ['a WebP', named('lossy.webp')],
    ] as const) {
      const { status, detail } = await send(file, undefined, '/huskyai/');
      expect(status).toBe(415);
      expect(detail).toBe(`This is ${name}. Accepted formats: JPEG, PNG, GIF.`);
    }
  });

  test('a preflight from an allowed origin may name any header', async () => {
    const names = 'x-requested-with,traceparent';
    const response = await fetch(`${worker.url}/api/predict`, {
      method: 'OPTIONS',
      headers: {
        Origin: FRIEND,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': names,
      },
    });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(FRIEND);
    expect(response.headers.get('Access-Control-Allow-Headers')).toBe(names);
  });
});

import { randomBytes } from 'node:crypto';
import { parseConfig } from '../../src/config.ts';
import type { Manner, Outgoing } from './client.ts';
import { ATTACKS } from './costly/attacks.ts';
import { claimingFiles, mutatedFiles } from './hostile-files.ts';
import type { File, Photos } from './photos.ts';

/** A request, and the answers it may get: a status, followed by the code of a problem. */
export interface Case {
  readonly outgoing: Outgoing;
  readonly allowed: readonly string[];
  /** Further answers that it may get under load. */
  readonly allowedBusy?: readonly string[];
}

/** Requests of one sort. */
export interface Kind {
  readonly name: string;
  /** The number of them among about 10,000 requests. */
  readonly weight: number;
  readonly cases: readonly Case[];
  /** Chooses how to send one; by default, as a whole. */
  readonly manner?: (next: () => number) => Manner;
  /** Whether the idle service answers each case, before and after the load; by default, it does. */
  readonly idle?: boolean;
  /** What its photos are, if an ordinary client sends them: their latency is reported under this name. */
  readonly honest?: string;
  /** The number of cases that share a connection without waiting for each other's answers. */
  readonly pipelined?: number;
}

const PREDICT = '/api/predict';
const { MAX_BODY_BYTES, MAX_BATCH_PHOTOS } = parseConfig({});
/** Decoders forgive some damage. */
const DAMAGED = ['200', '413 image_too_large', '415 unsupported_media_type', '422 malformed_image'];

export const upload = ({ bytes, type }: File, path = PREDICT): Outgoing => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': type },
  body: bytes,
});

/** Everything that a soak sends, in its proportions. */
export async function kindsOf({ small, large }: Photos, seed: number): Promise<Kind[]> {
  const kind = (name: string, weight: number, cases: readonly Case[], more: Partial<Kind> = {}): Kind => ({
    name,
    weight,
    cases,
    ...more,
  });
  const typed = (type: string) => casesOf(small.filter((photo) => photo.type === `image/${type}`));
  const few = small.filter((_, i) => i % 3 === 0);
  const fewForms = few.map((photo) => formOf([photo]));
  const several = (count: number) => Array.from({ length: count }, (_, i) => at(small, count + 7 * i));
  const damaged = { ...at(small, 0), bytes: at(small, 0).bytes.subarray(0, 300) };
  const any = casesOf(few);
  const reduced = { honest: '512 px, as browsers send them' };
  const costly = ATTACKS.map(({ type, draw }) => ({ type, bytes: draw() }));
  const tooLong: Case = {
    outgoing: {
      ...upload({ bytes: Buffer.alloc(MAX_BODY_BYTES + 1, 0xff), type: 'image/jpeg' }),
      refusedEarly: true,
    },
    allowed: ['413 body_too_large'],
  };
  const tooMany = formOf(several(MAX_BATCH_PHOTOS + 1).map((file) => ({ ...file, bytes: file.bytes.subarray(0, 10) })));
  const cut = (share: number, after: number): Manner => ({ kind: 'cut', share, after });
  return [
    kind('JPEG, 512 px', 2600, typed('jpeg'), reduced),
    kind('WebP, 512 px', 400, typed('webp'), reduced),
    kind('PNG, 512 px', 250, typed('png'), reduced),
    kind('GIF, 512 px', 150, typed('gif'), reduced),
    ...large.map(({ photo, weight }) => kind(photo.name, weight, casesOf([photo]), { honest: 'as cameras make them' })),
    kind('with heat map', 300, casesOf(few, ['200'], `${PREDICT}?heatmap=1`), reduced),
    kind('form', 200, casesOf(fewForms), reduced),
    kind(
      '/huskyai/',
      250,
      casesOf(
        fewForms.filter((_, i) => few[i]?.type !== 'image/webp'),
        ['200'],
        '/huskyai/',
      ),
      reduced,
    ),
    kind('batch of 2 to 5', 100, casesOf([2, 3, 4, 5].map((count) => formOf(several(count)))), {
      honest: 'batch of 2 to 5',
    }),
    kind('batch with a damaged photo', 50, casesOf([1, 3].map((count) => formOf([...several(count), damaged])))),
    kind('chunked', 60, any, { manner: () => ({ kind: 'chunked' }) }),
    kind('trickled', 200, any, {
      manner: (next) => ({ kind: 'trickled', pieces: 4 + Math.floor(next() * 12), pause: 20 + next() * 150 }),
    }),
    kind('stalled', 10, casesOf(small, ['408 request_timeout']), {
      manner: (next) => ({ kind: 'stalled', share: 0.1 + next() * 0.8 }),
      idle: false,
    }),
    kind('too slow', 6, casesOf(small, ['408 request_timeout']), {
      // A hundred bytes a second, for as long as the service waits.
      manner: (next) => ({ kind: 'trickled', pieces: 1_000, pause: 500 + next() * 500 }),
      idle: false,
    }),
    kind(
      'slow, and 20 MB announced',
      6,
      casesOf([{ bytes: Buffer.alloc(MAX_BODY_BYTES, 0xff), type: 'image/jpeg' }], ['408 request_timeout']),
      {
        manner: () => ({ kind: 'trickled', pieces: MAX_BODY_BYTES, pause: 5_000 }),
        idle: false,
      },
    ),
    kind('costly', 40, casesOf(costly, ['200', '413 image_too_large'])),
    kind(
      'batch of costly files',
      8,
      casesOf(costly.filter(({ bytes }) => bytes.length < 1e6).map((file) => formOf(new Array(5).fill(file)))),
    ),
    kind('broken off', 600, casesOf([...small, ...large.map(({ photo }) => photo)]), {
      manner: (next) => cut(next() * 0.98, next() * 40),
      idle: false,
    }),
    kind('gone before the answer', 200, any, { manner: (next) => cut(1, next() * 30), idle: false }),
    kind('pipelined', 60, any, { pipelined: 4 }),
    kind('damaged', 900, casesOf([...mutatedFiles(small, 2 * small.length, seed)], DAMAGED)),
    kind('too many pixels', 500, casesOf(await claimingFiles(small.slice(0, 8)), ['413 image_too_large'])),
    kind('too many bytes, announced', 250, [tooLong]),
    // Too slow instead, where other photos keep the isolate from reading up to the limit in time.
    kind('too many bytes, chunked', 20, [{ ...tooLong, allowedBusy: ['408 request_timeout'] }], {
      manner: () => ({ kind: 'chunked' }),
    }),
    kind('not a photo', 700, casesOf(NOT_PHOTOS, ['415 unsupported_media_type'])),
    kind('empty', 400, casesOf(EMPTY, ['400 empty_body'])),
    kind('wrong request', 700, WRONG),
    kind('too many photos', 50, casesOf([tooMany], ['413 too_many_photos'])),
    kind(
      'query',
      1000,
      ['/api/health', '/api/model', '/openapi.json', '/docs', '/docs/model'].map((path) => get(path, '200')),
    ),
  ];
}

const casesOf = (files: readonly File[], allowed: readonly string[] = ['200'], path = PREDICT): Case[] =>
  files.map((file) => ({ outgoing: upload(file, path), allowed }));

const get = (path: string, key: string): Case => ({ outgoing: { method: 'GET', path }, allowed: [key] });

/** The element at the index, counted round and round. @throws {Error} the list is empty */
export function at<T>(list: readonly T[], index: number): T {
  const element = list[index % list.length];
  if (element === undefined) throw new Error('nothing to choose from');
  return element;
}

/** A form with each file in a field `file`. */
function formOf(files: readonly File[], field = 'file'): File {
  const boundary = `----${randomBytes(12).toString('hex')}`;
  const parts = files.flatMap(({ bytes, type }, i) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${i}"\r\nContent-Type: ${type}\r\n\r\n`,
    bytes,
    '\r\n',
  ]);
  return {
    bytes: Buffer.concat([...parts, `--${boundary}--\r\n`].map((part) => Buffer.from(part))),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

const text = (content: string, type: string): File => ({ bytes: Buffer.from(content, 'latin1'), type });

const NOT_PHOTOS: readonly File[] = [
  text('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'image/jpeg'),
  text('<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'),
  text('<!doctype html><title>A photo</title>', 'image/png'),
  text(`BM${'\x07'.repeat(5_000)}`, 'image/bmp'),
  text('II*\0\x08\0\0\0', 'image/tiff'),
  text('....ftypmp42', 'video/mp4'),
  text('{"image": "aGVsbG8="}', 'application/json'),
  text('file=photo.jpg', 'application/x-www-form-urlencoded'),
  { bytes: Buffer.alloc(200_000), type: 'application/octet-stream' },
];

const NOTHING = text('', 'image/jpeg');
const EMPTY: readonly File[] = [NOTHING, formOf([NOTHING]), formOf([]), formOf([NOTHING], 'photo')];

const WRONG: readonly Case[] = [
  get('/api/nowhere', '404 not_found'),
  get(PREDICT, '405 method_not_allowed'),
  { outgoing: { method: 'DELETE', path: '/api/model' }, allowed: ['405 method_not_allowed'] },
  {
    outgoing: upload(at(NOT_PHOTOS, 0), `${PREDICT}?heatmap=2`),
    allowed: ['400 invalid_parameter', '415 unsupported_media_type'],
  },
  {
    outgoing: upload(text('--x\r\nno form', 'multipart/form-data; boundary=x')),
    allowed: ['400 empty_body'],
  },
];

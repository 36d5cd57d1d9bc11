import { mutatedFiles } from '../hostile.ts';
import type { Manner, Outgoing } from './exchange.ts';
import { claimingFiles, type File, formOf, WRONG_FILES } from './files.ts';
import type { LoadPictures } from './pictures.ts';

/** A request, and the answers that it may get: its status, and the code where it is a problem. */
export interface Case {
  readonly outgoing: Outgoing;
  readonly allowed: readonly string[];
  /** What it may be answered besides while there is load. */
  readonly allowedBusy?: readonly string[];
}

/** Requests of one sort. */
export interface Kind {
  readonly name: string;
  /** How often it comes among about 10,000 requests. */
  readonly weight: number;
  readonly cases: readonly Case[];
  /** How it is sent, given a source of numbers in [0, 1); default: as a whole. */
  readonly manner?: (next: () => number) => Manner;
  /** It takes so long that it goes on beside the others, and nobody waits for it. */
  readonly aside?: boolean;
  /** What its answers are is not waited for. */
  readonly unanswered?: boolean;
  /** So many of the cases at once on one connection, without waiting for answers. */
  readonly pipelined?: number;
}

export interface KindOptions {
  readonly pictures: LoadPictures;
  readonly seed: number;
  /** The limits that the Worker has: bytes of a body, photos of a batch. */
  readonly limits: { readonly MAX_BODY_BYTES: number; readonly MAX_BATCH_PHOTOS: number };
}

const PREDICT = '/api/predict';
const GOOD = ['200'];
/** What a damaged file may be taken for; decoders forgive some damage. */
const DAMAGED = ['200', '413 image_too_large', '415 unsupported_media_type', '422 malformed_image'];
/** Files that are damaged, for each that is not. */
const DAMAGED_FILES = 2;

function upload({ bytes, type }: File, path = PREDICT): Outgoing {
  return { method: 'POST', path, headers: { 'Content-Type': type }, body: bytes };
}

const casesOf = (files: readonly File[], allowed: readonly string[], path = PREDICT): Case[] =>
  files.map((file) => ({ outgoing: upload(file, path), allowed }));

/** All that the soak sends, in which share. */
export function kindsOf({ pictures: { small, large }, seed, limits }: KindOptions): Kind[] {
  const typed = (type: string) => small.filter((picture) => picture.type === `image/${type}`);
  const few = small.filter((_, i) => i % 3 === 0);
  const photo = (i: number): File => small[i % small.length] ?? raise();
  const several = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => photo(from + 7 * i));
  const [damaged = raise()] = mutatedFiles(small, 1, seed);
  const anyCase = casesOf(few, GOOD);
  const tooLong = upload({ bytes: Buffer.alloc(limits.MAX_BODY_BYTES + 1, 0xff), type: 'image/jpeg' });
  const refused: Case[] = [{ outgoing: { ...tooLong, refusedEarly: true }, allowed: ['413 body_too_large'] }];
  return [
    { name: 'JPEG 512 px', weight: 2600, cases: casesOf(typed('jpeg'), GOOD) },
    { name: 'WebP 512 px', weight: 400, cases: casesOf(typed('webp'), GOOD) },
    { name: 'PNG 512 px', weight: 250, cases: casesOf(typed('png'), GOOD) },
    { name: 'GIF 512 px', weight: 150, cases: casesOf(typed('gif'), GOOD) },
    ...large.map(({ picture, weight }) => ({ name: picture.name, weight, cases: casesOf([picture], GOOD) })),
    { name: 'with heat map', weight: 300, cases: casesOf(few, GOOD, `${PREDICT}?heatmap=1`) },
    {
      name: 'as a form',
      weight: 200,
      cases: casesOf(
        few.map((each) => formOf([each])),
        GOOD,
      ),
    },
    {
      name: '/huskyai/',
      weight: 250,
      cases: casesOf(
        few.filter(({ type }) => type !== 'image/webp').map((each) => formOf([each])),
        GOOD,
        '/huskyai/',
      ),
    },
    { name: 'batch of 2 to 5', weight: 100, cases: [2, 3, 4, 5].map((n) => batch(several(n, n))) },
    {
      name: 'batch with a damaged photo',
      weight: 50,
      cases: [1, 3].map((n) =>
        batch([...several(n, n), { ...damaged, bytes: damaged.bytes.subarray(0, 300) }]),
      ),
    },
    { name: 'without a length', weight: 60, cases: anyCase, manner: () => ({ kind: 'chunked' }) },
    {
      name: 'trickled',
      weight: 200,
      cases: anyCase,
      manner: (next) => ({ kind: 'trickled', pieces: 4 + Math.floor(next() * 12), pause: 20 + next() * 150 }),
    },
    {
      name: 'stands still',
      weight: 10,
      cases: casesOf(small, ['408 request_timeout']),
      manner: (next) => ({ kind: 'stalled', share: 0.1 + next() * 0.8 }),
      aside: true,
    },
    {
      name: 'cut off half-way',
      weight: 600,
      cases: casesOf([...small, ...large.map(({ picture }) => picture)], GOOD),
      manner: (next) => ({ kind: 'cut', share: next() * 0.98, after: next() * 40 }),
      unanswered: true,
    },
    {
      name: 'gone before the answer',
      weight: 200,
      cases: anyCase,
      manner: (next) => ({ kind: 'cut', share: 1, after: next() * 30 }),
      unanswered: true,
    },
    { name: 'pipelined', weight: 60, cases: anyCase, pipelined: 4 },
    {
      name: 'damaged',
      weight: 900,
      cases: casesOf([...mutatedFiles(small, DAMAGED_FILES * small.length, seed)], DAMAGED),
    },
    {
      name: 'claims too many pixels',
      weight: 500,
      cases: casesOf(claimingFiles(small.slice(0, 8)), ['413 image_too_large']),
    },
    { name: 'too many bytes, announced', weight: 250, cases: refused },
    {
      name: 'too many bytes, in chunks',
      weight: 20,
      // It is given up as too slow where other photos keep the isolate from reading it to the limit in time.
      cases: refused.map((each) => ({ ...each, allowedBusy: ['408 request_timeout'] })),
      manner: () => ({ kind: 'chunked' }),
    },
    { name: 'no photo', weight: 700, cases: casesOf(WRONG_FILES, ['415 unsupported_media_type']) },
    { name: 'nothing', weight: 400, cases: nothing() },
    { name: 'wrong request', weight: 700, cases: wrong() },
    {
      name: 'too many photos',
      weight: 50,
      cases: casesOf(
        [formOf(several(limits.MAX_BATCH_PHOTOS + 1, 0).map(smallest))],
        ['413 too_many_photos'],
      ),
    },
    {
      name: 'question',
      weight: 1000,
      cases: ['/api/health', '/api/model', '/openapi.json', '/docs', '/docs/model'].map((path) => ({
        outgoing: { method: 'GET', path },
        allowed: GOOD,
      })),
    },
  ];
}

const batch = (files: readonly File[]): Case => ({ outgoing: upload(formOf(files)), allowed: GOOD });

/** Ten bytes are enough to be counted. */
const smallest = ({ bytes, type }: File): File => ({ bytes: bytes.subarray(0, 10), type });

function nothing(): Case[] {
  const empty: File = { bytes: Buffer.alloc(0), type: 'image/jpeg' };
  return casesOf([empty, formOf([empty]), formOf([]), formOf([empty], 'photo')], ['400 empty_body']);
}

function wrong(): Case[] {
  const get = (path: string, key: string): Case => ({ outgoing: { method: 'GET', path }, allowed: [key] });
  return [
    get('/api/nowhere', '404 not_found'),
    get(PREDICT, '405 method_not_allowed'),
    { outgoing: { method: 'DELETE', path: '/api/model' }, allowed: ['405 method_not_allowed'] },
    {
      outgoing: { ...upload(WRONG_FILES[0] ?? raise(), `${PREDICT}?heatmap=2`) },
      allowed: ['400 invalid_parameter', '415 unsupported_media_type'],
    },
    {
      outgoing: upload({ bytes: Buffer.from('--x\r\nno form'), type: 'multipart/form-data; boundary=x' }),
      allowed: ['400 empty_body'],
    },
  ];
}

function raise(): never {
  throw new Error('There are no pictures to send.');
}

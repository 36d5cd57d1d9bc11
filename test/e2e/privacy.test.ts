import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { PROBLEM_CODES } from '../../src/api/problems.ts';
import { findMarks, listFiles, type Marks, markedJpeg, markedPng, newMarks, type Place } from './marks.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

const UPLOADS = 200;

const running: RunningWorker[] = [];

afterAll(async () => {
  for (const worker of running) await worker.stop();
});

async function start(options: Parameters<typeof startWorker>[0] = {}): Promise<RunningWorker> {
  const worker = await startWorker({ model: 'brightness', ...options });
  running.push(worker);
  return worker;
}

/** The bodies of each protocol, with a mark wherever a client may put a text. */
function jsonUploads(photo: string, mark: string): readonly (readonly [path: string, body: unknown])[] {
  const data = [`data:image/png;name=${mark};base64,${photo}`];
  const tensor = { name: 'image', shape: [1], datatype: 'BYTES', data };
  return [
    ['/api/predict', { image: photo, [mark]: mark }],
    ['/models/tiny-brightness', { inputs: photo, options: { [mark]: mark } }],
    ['/v1/models/tiny-brightness:predict', { instances: [{ [mark]: { b64: photo }, key: mark }] }],
    ['/v2/models/tiny-brightness/infer', { id: mark, inputs: [tensor] }],
  ];
}

/** Sends one of many uploads: valid and invalid photos of each format, as a form, as the body or as JSON. */
async function upload(url: string, marks: Marks, index: number, leak?: string): Promise<number> {
  const whole = index % 2 ? markedJpeg(marks) : markedPng(marks);
  const files = [whole, whole, whole.subarray(0, whole.byteLength - 40), Buffer.from(`${marks.exif} text`)];
  const file = files[index % files.length] ?? whole;
  const headers = {
    'CF-Connecting-IP': `${marks.address}${(index + 1).toString(16)}::1`,
    'User-Agent': marks.name,
    Referer: `https://${marks.name}.test/`,
    Cookie: `session=${marks.name}`,
    ...(leak && { 'X-Leak': leak }),
  };
  let path = index % 5 === 4 ? '/huskyai/' : '/api/predict';
  let init: RequestInit = {
    method: 'POST',
    body: file,
    headers: { ...headers, 'Content-Type': 'image/png' },
  };
  if (leak || index % 3) {
    const body = new FormData();
    for (let count = 0; count <= index % 2; count++) body.append('file', new File([file], `${marks.name}.png`));
    init = { method: 'POST', body, headers };
  }
  const json = leak || index % 3 ? undefined : jsonUploads(file.toString('base64'), marks.name)[(index / 3) % 5];
  if (json) {
    path = json[0];
    init = {
      method: 'POST',
      body: JSON.stringify(json[1]),
      headers: { ...headers, 'Content-Type': 'application/json' },
    };
  }
  const response = await fetch(`${url}${path}`, init);
  await response.arrayBuffer();
  return response.status;
}

/** All fields of a log line, with all values that each can have. */
const Line = z.strictObject({
  method: z.enum(['GET', 'POST']),
  route: z.enum([
    '/api/predict',
    '/huskyai',
    '/api/health',
    '/models/:name',
    '/v1/models/:name{[^/]+:predict}',
    '/v2/models/:name/infer',
  ]),
  status: z.number(),
  code: z.enum(PROBLEM_CODES).optional(),
  photos: z.number().max(2).optional(),
  format: z.enum(['png', 'jpeg']).optional(),
  megapixels: z.literal('<=1').optional(),
  version: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional(),
  request: z.uuid(),
});

test(`${UPLOADS} uploads leave no trace in the log, in R2, in the cache or in other state`, async () => {
  const marks = newMarks();
  const worker = await start({ vars: { RATE_LIMITS: 'on' } });
  const statuses = new Set<number>();
  for (let index = 0; index < UPLOADS; index++) statuses.add(await upload(worker.url, marks, index));
  // No 429, since each upload comes from another network.
  expect([...statuses].toSorted()).toEqual([200, 415, 422]);
  expect(await findMarks(worker, marks)).toEqual([]);

  const lines = worker
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const parsed = lines.map((line) => Line.parse(JSON.parse(line)));
  expect(parsed.filter(({ method }) => method === 'POST').length).toBe(UPLOADS);
  const cached = (await listFiles(worker.folder)).filter((path) => /^v3.cache./.test(path));
  expect(cached.filter((path) => !path.includes('metadata.sqlite'))).toEqual([]);
}, 180_000);

/** wrangler.toml with its commented-out binding for counts, and paths that hold in another folder. */
async function enableCounting(folder: string): Promise<string> {
  const toml = await readFile('wrangler.toml', 'utf8');
  const block = /^# (\[\[analytics_engine_datasets\]\])\n# (.*)\n# (.*)$/m;
  expect(toml).toMatch(block);
  const config = join(folder, 'wrangler.toml');
  const changed = toml
    .replace(block, '$1\n$2\n$3')
    .replace('"src/index.ts"', JSON.stringify(resolve('src/index.ts')))
    .replace('"static"', JSON.stringify(resolve('static')));
  await writeFile(config, changed);
  return config;
}

/** All fields of a line that counts an answer, with all values that each can have here. */
const AnswerLine = z.strictObject({
  answer: z.strictObject({
    version: z.string().regex(/^[0-9a-f]{12}$/),
    role: z.literal('stable'),
    code: z.enum(['ok', 'unsupported_media_type', 'malformed_image']),
    label: z.enum(['husky', 'not husky', '']),
    format: z.enum(['png', 'jpeg', '']),
    megapixels: z.enum(['<=1', '']),
    score: z.number().int().min(-1).max(19),
  }),
});

test('where answers are counted, the log gains only the closed list of what is counted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-counting-'));
  try {
    const marks = newMarks();
    const worker = await start({ config: await enableCounting(folder), vars: { RATE_LIMITS: 'on', ANSWER_LOG: 'on' } });
    for (let index = 0; index < UPLOADS / 4; index++) await upload(worker.url, marks, index);
    expect(await findMarks(worker, marks)).toEqual([]);
    const lines = worker
      .logs()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    const [counted, others] = [true, false].map((is) => lines.filter((line) => line.startsWith('{"answer"') === is));
    const answers = (counted ?? []).map((line) => AnswerLine.parse(JSON.parse(line)).answer);
    const requests = (others ?? []).map((line) => Line.parse(JSON.parse(line)));
    const photos = requests.filter(({ method }) => method === 'POST').map((request) => request.photos ?? 1);
    expect(answers).toHaveLength(photos.reduce((sum, each) => sum + each, 0));
    expect(new Set(answers.map(({ code }) => code)).size).toBe(3);
    expect(worker.logs()).toContain('env.ANSWERS');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 180_000);

test('the same search finds a leak into each of these', async () => {
  const config = join(import.meta.dirname, 'leaks', 'wrangler.toml');
  const worker = await start({ config });
  const leaks: readonly [leak: string, place: Place][] = [
    ['log: name', 'log'],
    ['log: bytes', 'log'],
    ['log: hex', 'log'],
    ['log: address', 'log'],
    ['R2: object', 'R2'],
    ['R2: key', 'R2'],
    ['cache', 'cache'],
    ['state', 'state'],
  ];
  for (const [index, [leak, place]] of leaks.entries()) {
    // New marks each time, so that the search cannot find the previous leak instead.
    const marks = newMarks();
    await upload(worker.url, marks, index % 2, leak);
    expect(await findMarks(worker, marks), leak).toContain(place);
  }
  const marks = newMarks();
  await upload(worker.url, marks, 0);
  expect(await findMarks(worker, marks)).toEqual([]);
}, 180_000);

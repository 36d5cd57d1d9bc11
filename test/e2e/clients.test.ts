/** Real clients of other protocols: PyPI's huggingface_hub, kserve and tritonclient, and npm's @huggingface/inference. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InferenceClient } from '@huggingface/inference';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { CLIENTS_ENVIRONMENT, preparePython, pythonEnvironment } from '../../scripts/python.ts';
import { solidPng } from '../pictures/png.ts';
import { type RunningWorker, startWorker } from './wrangler.ts';

const TOKEN = 'token-of-the-clients';
const MODEL = 'tiny-brightness';
const MAX_BYTES = 50_000;

let worker: RunningWorker;
let white: Uint8Array<ArrayBuffer>;
let damaged: Uint8Array<ArrayBuffer>;
const large = new Uint8Array(MAX_BYTES + 1);
let outcomes: Record<string, unknown>;
let python: string;

const Outcomes = z.record(z.string(), z.unknown());

beforeAll(async () => {
  python = await preparePython(CLIENTS_ENVIRONMENT);
  const API_TOKENS = createHash('sha256').update(TOKEN).digest('hex');
  worker = await startWorker({ model: 'brightness', vars: { API_TOKENS, MAX_BODY_BYTES: MAX_BYTES } });
  white = await solidPng([250, 250, 250]);
  damaged = white.slice(0, 60);
  const photos = { white, black: await solidPng([5, 5, 5]), damaged, large };
  const input = Object.entries(photos).map(([name, photo]) => [name, Buffer.from(photo).toString('base64')]);
  const program = join(import.meta.dirname, 'clients', 'try_clients.py');
  const { stdout } = await execa(python, [program, worker.url, MODEL, TOKEN], {
    input: JSON.stringify(Object.fromEntries(input)),
    env: environment(),
  });
  outcomes = Outcomes.parse(JSON.parse(stdout));
}, 600_000);

afterAll(() => worker?.stop());

/** Without a token that this machine may keep. */
const environment = () => ({ ...pythonEnvironment(), HF_TOKEN: '', HF_HOME: '/nowhere' });

/** The failures that every client has to report, with their statuses and what their text contains. */
const FAILURES = {
  damaged: [422, 'The PNG is damaged.'],
  large: [413, 'are accepted'],
  'another model': [404, `The served model is '${MODEL}'.`],
  'no token': [401, 'Send a token'],
} as const;

const score = expect.any(Number);

test.each([
  [
    'huggingface_hub',
    'HfHubHTTPError',
    [
      ['husky', score],
      ['not husky', score],
    ],
    [
      ['not husky', score],
      ['husky', score],
    ],
  ],
  [
    'kserve v1',
    'HTTPStatusError',
    { predictions: [{ label: 'husky', classes: ['husky', 'not husky'], scores: [score, score] }] },
    { predictions: [{ label: 'not husky', classes: ['not husky', 'husky'], scores: [score, score] }] },
  ],
  ...['kserve v2', 'kserve v2, binary'].map(
    (client) =>
      [
        client,
        'HTTPStatusError',
        {
          id: '7',
          label: [[1], ['husky']],
          classes: [
            [1, 2],
            ['husky', 'not husky'],
          ],
          scores: [
            [1, 2],
            [score, score],
          ],
        },
        { id: '7', label: [[1], ['not husky']] },
      ] as const,
  ),
  [
    'tritonclient',
    'InferenceServerException',
    { label: [[1], ['husky']], scores: [[1, 2], [[score, score]]] },
    { label: [[1], ['not husky']] },
  ],
  [
    'tritonclient, binary',
    'InferenceServerException',
    { label: [[1], ['husky']], classes: [[1, 2], [['husky', 'not husky']]], scores: [[1, 2], [[score, score]]] },
    { label: [[1], ['not husky']] },
  ],
] as const)('%s predicts, and raises a clear error', (client, error, onWhite, onBlack) => {
  expect(outcomes[client]).toMatchObject({ white: onWhite, black: onBlack });
  for (const [scenario, [status, text]] of Object.entries(FAILURES)) {
    expect(outcomes[client], scenario).toMatchObject({
      [scenario]: { error, status, text: expect.stringContaining(text) },
    });
  }
});

test('huggingface_hub limits the labels', () => {
  expect(outcomes.huggingface_hub).toMatchObject({
    top_k: [['husky', score]],
    'too many': { status: 400, text: expect.stringContaining('from 1 to 2') },
  });
});

test('kserve and tritonclient see what is live and ready', () => {
  expect(outcomes['kserve states']).toEqual([true, true, true, true, false]);
  expect(outcomes['tritonclient states']).toMatchObject({
    ready: [true, true, true, true, false],
    server: 'husky-ai',
    model: { name: MODEL, inputs: [{ name: 'image', datatype: 'BYTES', shape: [-1] }] },
    version: { label: [[1], ['husky']] },
    'another version': { status: 404, text: expect.stringContaining('The served version is') },
  });
});

test('@huggingface/inference predicts, and raises a clear error', async () => {
  const classify = (photo: Uint8Array<ArrayBuffer>, model = MODEL, token?: string) =>
    new InferenceClient(token).imageClassification(
      { endpointUrl: `${worker.url}/models/${model}`, inputs: new Blob([photo]) },
      { retry_on_error: false },
    );
  expect(await classify(white, MODEL, TOKEN)).toEqual([
    { label: 'husky', score },
    { label: 'not husky', score },
  ]);
  const calls = [
    [FAILURES.damaged, () => classify(damaged, MODEL, TOKEN)],
    [FAILURES.large, () => classify(large, MODEL, TOKEN)],
    [FAILURES['another model'], () => classify(white, 'another', TOKEN)],
    [FAILURES['no token'], () => classify(white)],
  ] as const;
  for (const [[status, text], call] of calls) {
    await expect(call()).rejects.toMatchObject({ message: expect.stringContaining(text), httpResponse: { status } });
  }
});

test('the examples of the documentation work', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-clients-'));
  try {
    await writeFile(join(folder, 'photo.jpg'), white);
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    const text = await readFile('docs/api.md', 'utf8');
    const section = text.slice(text.indexOf('## Other clients'), text.indexOf('## `GET /api/model`'));
    const examples = Array.from(section.matchAll(/```(python|ts)\n(.*?)```/gs), ([, language, code = '']) => [
      language,
      code,
    ]);
    expect(examples.length).toBe(4);
    for (const [language, code = ''] of examples) {
      const source = code
        .replaceAll('localhost:8787', new URL(inject('sharedService')).host)
        .replaceAll('husky-lite', MODEL);
      const file = join(folder, language === 'ts' ? 'example.mts' : 'example.py');
      await writeFile(file, source);
      const { stdout } = await execa(language === 'ts' ? process.execPath : python, [file], {
        cwd: folder,
        env: environment(),
      });
      expect(stdout, code).toContain('husky');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

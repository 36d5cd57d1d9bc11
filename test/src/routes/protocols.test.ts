import { beforeAll, expect, test } from 'vitest';
import { huggingFace } from '../../../src/api/protocols/hugging-face.ts';
import { kserve } from '../../../src/api/protocols/kserve.ts';
import { openInference } from '../../../src/api/protocols/open-inference.ts';
import { schemas } from '../../../src/api/schemas.ts';
import { solidPng } from '../../pictures/png.ts';
import { brightness, manifestOf } from '../model/publish.ts';
import { putVersion } from '../model/put-version.ts';
import { bucket, form, newService, raw, type Service } from '../service.ts';

let service: Service;
let white: Uint8Array<ArrayBuffer>;
let black: Uint8Array<ArrayBuffer>;
let name: string;
let version: string;

beforeAll(async () => {
  await putVersion(bucket, await manifestOf(brightness), brightness);
  white = await solidPng([255, 255, 255]);
  black = await solidPng([0, 0, 0]);
  service = newService();
  ({ name, version } = schemas.ModelInfo.parse(await (await service('/api/model')).json()));
});

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});

const encode = (bytes: Uint8Array) => bytes.toBase64();
const hugging = (photo: Uint8Array, parameters?: unknown) => json({ inputs: encode(photo), parameters });
const instances = (...photos: readonly Uint8Array[]) =>
  json({ instances: photos.map((photo) => ({ b64: encode(photo) })) });
const tensor = (...photos: readonly Uint8Array[]) => ({
  name: 'image',
  shape: [photos.length],
  datatype: 'BYTES',
  data: photos.map(encode),
});

/** A request with a binary tensor, as tritonclient sends it: without a content type. */
function binary(photos: readonly Uint8Array[], header: Record<string, unknown> = {}, size?: number): RequestInit {
  const data = new Blob(photos.flatMap((photo) => [new Uint32Array([photo.length]), new Uint8Array(photo)]));
  const input = {
    name: 'image',
    shape: [photos.length, 1],
    datatype: 'BYTES',
    parameters: { binary_data_size: size ?? data.size },
  };
  const text = JSON.stringify({ inputs: [input], ...header });
  return {
    method: 'POST',
    body: new Blob([text, data]),
    headers: { 'Inference-Header-Content-Length': String(text.length) },
  };
}

/** Every route that scores photos, with a request that it answers. */
const scoring = (): readonly (readonly [path: string, () => RequestInit])[] => [
  ['/api/predict', () => raw(white)],
  ['/api/predict', () => json({ image: encode(white) })],
  ['/huskyai/', () => form(white)],
  [`/models/${name}`, () => raw(white)],
  [`/models/${name}`, () => hugging(white)],
  [`/v1/models/${name}:predict`, () => instances(white)],
  [`/v2/models/${name}/infer`, () => json({ inputs: [tensor(white)] })],
  [`/v2/models/${name}/infer`, () => binary([white])],
  [`/v2/models/${name}/versions/${version}/infer`, () => binary([white])],
];

test('/api/predict takes a photo as base64 and limits the labels', async () => {
  const expected = schemas.Prediction.parse(await (await service('/api/predict', raw(white))).json());
  for (const image of [encode(white), `data:image/png;base64,${encode(white)}`]) {
    expect(await (await service('/api/predict', json({ image }))).json()).toEqual(expected);
  }
  const one = await service('/api/predict?top_k=1', json({ image: encode(white) }));
  expect(await one.json()).toEqual({ ...expected, scores: expected.scores?.slice(0, 1) });
  for (const query of ['top_k=0', 'top_k=3', 'top_k=1.5', 'top_k=x', 'top_k=']) {
    const response = await service(`/api/predict?${query}`, raw(white));
    expect([query, response.status, await response.json()]).toMatchObject([query, 400, { code: 'invalid_parameter' }]);
  }
});

test('Hugging Face’s form is answered, raw and as JSON', async () => {
  const answers = async (init: RequestInit) => {
    const response = await service(`/models/${name}`, init);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    return huggingFace.Answer().parse(await response.json());
  };
  const all = await answers(raw(white));
  expect(all.map(({ label }) => label)).toEqual(['husky', 'not husky']);
  expect(await answers(hugging(white))).toEqual(all);
  expect(await answers(hugging(white, { top_k: 1 }))).toEqual(all.slice(0, 1));
  expect(await answers(json(`{"parameters":{"top_k":1},"inputs":"${encode(white)}","options":{}}`))).toEqual(
    all.slice(0, 1),
  );
});

test('KServe’s and TensorFlow Serving’s form is answered', async () => {
  const status = kserve.Status().parse(await (await service(`/v1/models/${name}`)).json());
  expect(status.model_version_status[0]?.version).toBe(version);
  const path = `/v1/models/${name}:predict`;
  const { predictions } = kserve.Answer().parse(await (await service(path, instances(white, black))).json());
  expect(predictions).toMatchObject([
    { label: 'husky', classes: ['husky', 'not husky'] },
    { label: 'not husky', classes: ['not husky', 'husky'] },
  ]);
  const nested = json({ instances: [{ image_bytes: { b64: encode(white) }, key: '1' }], parameters: { top_k: 1 } });
  expect(await (await service(path, nested)).json()).toMatchObject({ predictions: [{ classes: ['husky'] }] });
});

test('the Open Inference Protocol’s metadata and health are answered', async () => {
  const get = async (path: string): Promise<unknown> => (await service(path)).json();
  expect(openInference.Server().parse(await get('/v2')).extensions).toEqual(['binary_tensor_data']);
  expect(await get('/v2/health/live')).toEqual({ live: true });
  expect(await get('/v2/health/ready')).toEqual({ ready: true });
  for (const path of [`/v2/models/${name}`, `/v2/models/${name}/versions/${version}`]) {
    const model = openInference.Model().parse(await get(path));
    expect(model.versions).toEqual([version]);
    expect(model.outputs.map((output) => output.name)).toEqual(['label', 'classes', 'scores']);
    expect(await get(`${path}/ready`)).toEqual({ name, ready: true });
  }
  const none = newService({ MODEL_CHANNEL: 'nothing-there' });
  expect((await none('/v2/health/live')).status).toBe(200);
  expect((await none('/v2/health/ready')).status).toBe(503);
});

test('the Open Inference Protocol’s requests are answered in JSON and in binary', async () => {
  const path = `/v2/models/${name}/infer`;
  const plain = openInference
    .Answer()
    .parse(await (await service(path, json({ id: '7', inputs: [tensor(white, black)] }))).json());
  expect(plain).toMatchObject({ model_name: name, model_version: version, id: '7' });
  expect(plain.outputs.map(({ shape }) => shape)).toEqual([[2], [2, 2], [2, 2]]);
  expect(plain.outputs.map(({ data }) => data)).toMatchObject([
    ['husky', 'not husky'],
    ['husky', 'not husky', 'not husky', 'husky'],
    [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)],
  ]);
  const { outputs } = openInference.Answer().parse(await (await service(path, binary([white, black]))).json());
  expect(outputs).toEqual(plain.outputs);

  const parameters = { binary_data_output: true, top_k: 1 };
  const wanted = [{ name: 'scores' }, { name: 'classes', parameters: { binary_data: false } }];
  const response = await service(path, binary([black], { parameters, outputs: wanted }));
  const length = Number(response.headers.get('Inference-Header-Content-Length'));
  const body = new Uint8Array(await response.arrayBuffer());
  const header = openInference.Answer().parse(JSON.parse(new TextDecoder().decode(body.subarray(0, length))));
  expect(header.outputs).toMatchObject([
    { name: 'scores', shape: [1, 1], parameters: { binary_data_size: 4 } },
    { name: 'classes', data: ['not husky'] },
  ]);
  expect(new DataView(body.buffer).getFloat32(length, true)).toBeCloseTo(Number(plain.outputs[2]?.data?.[2]), 6);
  const labels = await service(
    path,
    binary([black], { outputs: [{ name: 'label', parameters: { binary_data: true } }] }),
  );
  expect(new TextDecoder().decode(await labels.arrayBuffer())).toMatch(/\}\t\0\0\0not husky$/);
});

test('every route has the same gate: a token is required, and photos are counted', async () => {
  const closed = newService({ API_TOKENS: '0'.repeat(64) });
  for (const [path, init] of scoring()) {
    const response = await closed(path, init());
    expect([path, response.status, response.headers.get('WWW-Authenticate')]).toEqual([path, 401, 'Bearer']);
    expect(await response.json()).toMatchObject({ code: 'unauthorized' });
  }
  for (const [path, init] of scoring()) {
    const keys: string[] = [];
    const counter = { limit: async ({ key }: RateLimitOptions) => ({ success: keys.push(key) <= 1 }) };
    const limited = newService({
      RATE_LIMITS: 'on',
      BURST: counter,
      SUSTAINED: { limit: async () => ({ success: true }) },
    });
    expect([path, (await limited(path, init())).status]).toEqual([path, 200]);
    const second = await limited(path, init());
    expect([path, second.status, second.headers.get('Retry-After')]).toEqual([path, 429, '10']);
    expect(second.headers.get('RateLimit-Policy')).toContain('burst');
  }
});

test('uploads of one address at once are limited over all routes', async () => {
  const counter = { limit: async () => ({ success: true }) };
  const counters = { BURST: counter, SUSTAINED: counter };
  const limited = newService({ RATE_LIMITS: 'on', MAX_BODIES_PER_ADDRESS: 1, ...counters });
  const { readable, writable } = new IdentityTransformStream();
  const hanging = limited(`/models/${name}`, { method: 'POST', body: readable });
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(1));
  for (const [path, init] of scoring()) {
    const response = await limited(path, init());
    expect([path, response.status, response.headers.get('Retry-After')]).toEqual([path, 429, '2']);
  }
  await writer.close();
  expect((await hanging).status).toBe(415);
  for (const [path, init] of scoring()) expect([path, (await limited(path, init())).status]).toEqual([path, 200]);
});

test('every photo of a batch counts, in every protocol', async () => {
  for (const [path, init] of [
    [`/v1/models/${name}:predict`, instances(white, black, white)],
    [`/v2/models/${name}/infer`, json({ inputs: [tensor(white, black, white)] })],
    [`/v2/models/${name}/infer`, binary([white, black, white])],
  ] as const) {
    let counted = 0;
    const counter = { limit: async () => ({ success: ++counted > 0 }) };
    const limited = newService({
      RATE_LIMITS: 'on',
      BURST: counter,
      SUSTAINED: { limit: async () => ({ success: true }) },
    });
    expect((await limited(path, init)).status).toBe(200);
    expect(counted).toBe(3);
  }
});

test('hidden and rounded scores are so in every protocol', async () => {
  const label = newService({ SCORES: 'label' });
  const answer = async (path: string, init: RequestInit): Promise<unknown> => (await label(path, init)).json();
  expect(await answer(`/models/${name}`, raw(white))).toEqual([{ label: 'husky', score: 1 }]);
  expect(await answer(`/v1/models/${name}:predict`, instances(white))).toEqual({ predictions: [{ label: 'husky' }] });
  const infer = `/v2/models/${name}/infer`;
  expect(await answer(infer, binary([white]))).toMatchObject({ outputs: [{ name: 'label', data: ['husky'] }] });
  expect(await answer(infer, binary([white], { outputs: [{ name: 'scores' }] }))).toMatchObject({
    code: 'invalid_parameter',
  });
  expect(await answer(`/v2/models/${name}`, { method: 'GET' })).toMatchObject({ outputs: [{ name: 'label' }] });
  const rounded = newService({ SCORES: 'rounded' });
  const grey = await solidPng([140, 140, 140]);
  for (const [path, init] of [
    [`/models/${name}`, hugging(grey)],
    [`/v1/models/${name}:predict`, instances(grey)],
    [infer, json({ inputs: [tensor(grey)] })],
  ] as const) {
    const text = await (await rounded(path, init)).text();
    expect(text).toMatch(/0\.\d/);
    expect(text).not.toMatch(/\d\.\d{3}/);
  }
});

test.each([
  ['/models/another', () => hugging(white)],
  ['/v1/models/another:predict', () => instances(white)],
  ['/v2/models/another/infer', () => binary([white])],
  ['/v1/models/another', undefined],
  ['/v2/models/another', undefined],
  ['/v2/models/another/ready', undefined],
  ['/v2/unknown', undefined],
] as const)('%s is not found, in the form of the protocol', async (path, init) => {
  const response = await service(path, init?.());
  expect([response.status, response.headers.get('Content-Type')]).toEqual([404, 'application/json']);
  const { error, code, detail }: Record<string, unknown> = await response.json();
  expect([code, detail]).toEqual(['not_found', error]);
});

test('another version is not found, and a method that a route lacks is refused in the form of the protocol', async () => {
  const other = await service(`/v2/models/${name}/versions/1/infer`, binary([white]));
  expect([other.status, await other.json()]).toMatchObject([404, { error: `The served version is '${version}'.` }]);
  const get = await service(`/models/${name}`, { headers: { Accept: 'text/html' } });
  expect([get.status, get.headers.get('Allow'), await get.json()]).toMatchObject([
    405,
    'POST, OPTIONS',
    { error: 'Use POST or OPTIONS.' },
  ]);
});

test('a photo that cannot be scored fails a batch as a whole, and the error names it', async () => {
  for (const [path, init] of [
    [`/v1/models/${name}:predict`, instances(white, white.slice(0, 60))],
    [`/v2/models/${name}/infer`, binary([white, white.slice(0, 60)])],
  ] as const) {
    const response = await service(path, init);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { code: 'malformed_image', error: expect.stringMatching(/^Photo 2 of 2: /) },
    ]);
  }
});

const infer = (request: unknown) => [`/v2/models/NAME/infer`, () => json(request)] as const;
const predict = (request: unknown) => [`/v1/models/NAME:predict`, () => json(request)] as const;
const classify = (request: unknown) => [`/models/NAME`, () => json(request)] as const;
const input = (changes: Record<string, unknown>) => ({ inputs: [{ ...tensor(new Uint8Array(3)), ...changes }] });
const photo = 'AAAA';

test.each([
  ['JSON without a photo', ['/api/predict', () => json({})], 'invalid_body'],
  ['a photo that is a number', ['/api/predict', () => json({ image: 0 })], 'invalid_body'],
  ['a key that occurs twice', ['/api/predict', () => json('{"image":"AAAA","image":"AAAA"}')], 'invalid_body'],
  ['a photo that is an array', ['/api/predict', () => json({ image: ['AAAA'] })], 'invalid_body'],
  ['an array', ['/api/predict', () => json([])], 'invalid_body'],
  ['null', classify(null), 'invalid_body'],
  ['a function', classify({ inputs: photo, parameters: { function_to_apply: 'sigmoid' } }), 'invalid_parameter'],
  ['too large top_k', classify({ inputs: photo, parameters: { top_k: 3 } }), 'invalid_parameter'],
  ['top_k as a text', classify({ inputs: photo, parameters: { top_k: '1' } }), 'invalid_parameter'],
  ['no instances', predict({ instances: [] }), 'invalid_body'],
  ['an instance that is a text', predict({ instances: [photo] }), 'invalid_body'],
  ['a forged photo', predict({ instances: [{ b64: 0 }] }), 'invalid_body'],
  ['a forged photo among others', predict({ instances: [{ b64: photo }, { b64: 0 }] }), 'invalid_body'],
  ['two photos in one instance', predict({ instances: [{ a: { b64: photo }, b: { b64: photo } }] }), 'invalid_body'],
  ['columns', predict({ inputs: { b64: photo } }), 'invalid_body'],
  ['too many instances', predict({ instances: Array(17).fill({ b64: photo }) }), 'too_many_photos'],
  ['another input', infer(input({ name: 'input_1' })), 'invalid_body'],
  ['another datatype', infer(input({ datatype: 'UINT8' })), 'invalid_body'],
  ['another shape', infer(input({ shape: [2] })), 'invalid_body'],
  ['two inputs', infer({ inputs: [tensor(new Uint8Array(3)), tensor(new Uint8Array(3))] }), 'invalid_body'],
  ['an unknown output', infer({ ...input({}), outputs: [{ name: 'logits' }] }), 'invalid_body'],
  ['many outputs', infer({ ...input({}), outputs: Array(4).fill({ name: 'label' }) }), 'invalid_body'],
  [
    'shared memory',
    infer({ ...input({ data: undefined, parameters: { shared_memory_region: 'x' } }) }),
    'invalid_body',
  ],
  ['another size', ['/v2/models/NAME/infer', () => binary([new Uint8Array(3)], {}, 8)], 'invalid_body'],
  ['too many elements', ['/v2/models/NAME/infer', () => binary(Array(17).fill(new Uint8Array(1)))], 'too_many_photos'],
] as const)('%s is refused', async (_, [path, init], code) => {
  const response = await service(path.replace('NAME', name), init());
  expect(await response.json()).toMatchObject({ code });
  expect([400, 413]).toContain(response.status);
});

test.each([
  ['longer than the body', { 'Inference-Header-Content-Length': '9999' }, 'invalid_body'],
  ['too long', { 'Inference-Header-Content-Length': '99999' }, 'body_too_large'],
  ['not a number', { 'Inference-Header-Content-Length': '-1' }, 'invalid_body'],
  ['within the JSON', { 'Inference-Header-Content-Length': '10' }, 'invalid_body'],
])('a binary request whose header is %s is refused', async (_, headers, code) => {
  const response = await service(`/v2/models/${name}/infer`, { ...binary([white]), headers });
  expect(await response.json()).toMatchObject({ code });
});

test('a compressed body is refused', async () => {
  for (const [path, init] of scoring()) {
    const request = init();
    const headers = new Headers(request.headers);
    headers.set('Content-Encoding', 'gzip');
    expect([path, (await service(path, { ...request, headers })).status]).toEqual([path, 415]);
  }
});

test('a failure repeats nothing of the body', async () => {
  for (const body of [
    '{"inputs":"secret*text"}',
    '{"secret":"text"}',
    '{"inputs":"AAAA","parameters":{"secret":1}, secret',
  ]) {
    const text = await (await service(`/models/${name}`, json(body))).text();
    expect(text).toContain('"error"');
    expect(text).not.toContain('secret');
  }
});

test('the limit on bytes is that of /api/predict', async () => {
  const small = newService({ MAX_BODY_BYTES: white.length });
  for (const [path, init] of scoring()) {
    // A form has more bytes than its photo.
    if (path !== '/huskyai/') expect([path, (await small(path, init())).status]).toEqual([path, 200]);
  }
  const smaller = newService({ MAX_BODY_BYTES: white.length - 1 });
  for (const [path, init] of scoring()) {
    const expected = path === '/huskyai/' ? 200 : 413;
    expect([path, (await smaller(path, init())).status]).toEqual([path, expected]);
  }
});

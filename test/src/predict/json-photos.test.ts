import { expect, test } from 'vitest';
import { InvalidBody } from '../../../src/errors.ts';
import { PhotoMemory } from '../../../src/memory.ts';
import { type JsonForm, MAX_JSON_BYTES, maxJsonBytes } from '../../../src/predict/json-photos.ts';
import { jsonUpload } from '../../../src/predict/json-upload.ts';
import { seeded } from '../../random.ts';

const limits = { maxBytes: 300_000, timeout: 60_000, idleTimeout: 60_000, minRate: 0, grace: 0, patience: 0 };

/** Photos at `photo` and in the array `photos`. */
const form: JsonForm<{ rest: unknown; photos: number }> = {
  places: "'photo'",
  isPhoto: ([key, item, further]) => further === undefined && (key === 'photo' || (key === 'photos' && item === null)),
  parse: (rest, photos) => ({ rest, photos }),
};

interface Options {
  readonly memory?: PhotoMemory;
  /** Bytes of a piece. */
  readonly pieces?: number;
  readonly declares?: boolean;
}

/** Reads a body and returns its photos as latin1 text. */
async function read(text: string | Uint8Array, options: Options = {}) {
  const { memory = new PhotoMemory(() => 1_000_000), pieces = 1_000_000, declares = true } = options;
  const body = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const stream = new ReadableStream({
    type: 'bytes',
    start(controller) {
      for (let at = 0; at < body.length; at += pieces) controller.enqueue(body.slice(at, at + pieces));
      controller.close();
    },
  });
  const source = { stream, declaredLength: declares ? body.length : undefined, contentType: 'application/json' };
  let request: { rest: unknown; photos: number } | undefined;
  const { files, release } = await jsonUpload(form, (parsed) => {
    request = parsed;
  })(source, memory, limits, 3);
  const photos = files.map((file) => Array.from(file, (byte) => String.fromCharCode(byte)).join(''));
  const leased = memory.usedBytes;
  release();
  return { photos, request, leased, free: memory.usedBytes };
}

const encode = (text: string) => btoa(text);
const photoIn = async (base64: string) => (await read(`{"photo":"${base64}"}`)).photos;

test.each([
  ['padding', 'SGFsbG8=', 'Hallo'],
  ['two characters of padding', 'SGFsbA==', 'Hall'],
  ['missing padding', 'SGFsbG8', 'Hallo'],
  ['the URL-safe alphabet', '-_-_', '\xfb\xff\xbf'],
  ['both alphabets', '-_+/', '\xfb\xff\xbf'],
  ['escaped slashes', '\\/+\\/+', '\xff\xef\xfe'],
  ['Unicode escapes', '\\u0053GFs\\u0062A\\u003d\\u003D', 'Hall'],
  ['escaped line breaks', 'SGFs\\r\\nbG8=\\n', 'Hallo'],
  ['unescaped line breaks and spaces', ' SGFs\n bG 8=\n', 'Hallo'],
  ['a data: URL', 'data:image/png;base64,SGFsbG8=', 'Hallo'],
  ['a data: URL with parameters', 'DATA:image/jpeg;charset=utf-8;name=a.jpg;BASE64,SGFsbG8', 'Hallo'],
  ['a data: URL without a type', 'data:;base64,SGFsbG8', 'Hallo'],
  ['an escaped data: URL', 'data:image\\/png;base64,SGFsbG8', 'Hallo'],
  ['a text that starts as a data: URL does', 'dataSGFs', 'u\xabZHal'],
  ['a text that is the start of a data: URL', 'data', 'u\xabZ'],
])('base64 with %s', async (_, base64, photo) => {
  expect(await photoIn(base64)).toEqual([photo]);
});

test.each([
  ['another character', 'SGFs*G8='],
  ['a character of another alphabet', 'SGFsé'],
  ['one character of a group', 'SGFsb'],
  ['data after padding', 'SGFsbG8=SGFs'],
  ['padding alone', '===='],
  ['padding too early', 'S=Fs'],
  ['too much padding', 'SGFsbG8=='],
  ['a URL', 'https://husky.example/photo.jpg'],
  ['a data: URL without base64', 'data:image/svg+xml,%3Csvg%3E'],
  ['a data: URL without a comma', `data:${'a'.repeat(2_000)}`],
  ['an escaped quote', 'SGFs\\"'],
  ['a quote as a Unicode escape', 'SGFs\\u0022'],
  ['an escape beyond Latin-1', 'SGFs\\u4142'],
  ['an unknown escape', 'SGFs\\x41'],
])('base64 is refused with %s, and its text is not repeated', async (_, base64) => {
  const failure: unknown = await photoIn(base64).catch((error: unknown) => error);
  if (!(failure instanceof InvalidBody)) throw new Error('no InvalidBody');
  expect(failure.message).not.toContain(base64.slice(0, 6));
});

test('a photo comes out as it went in, however the body is cut into pieces', async () => {
  const random = seeded(7);
  const photo = String.fromCharCode(...Array.from({ length: 5_003 }, () => Math.floor(random() * 256)));
  const escaped = JSON.stringify(encode(photo)).replaceAll('/', '\\/');
  const text = `{"id": "a \\" b", "photos": ["data:image/png;base64,${encode('one')}", ${escaped}], "photo": "AAAA"}`;
  for (const pieces of [1, 2, 3, 5, 97, 10_000]) {
    const { photos, request } = await read(text, { pieces });
    // Not toEqual, which would print the bytes.
    expect([photos.length, photos[0], photos[1] === photo, photos[2]]).toEqual([3, 'one', true, '\0\0\0']);
    expect(request).toEqual({ rest: { id: 'a " b', photos: [0, 1], photo: 2 }, photos: 3 });
  }
});

test.each([true, false])(
  'a photo of several pieces is decoded into leased memory (length declared: %s)',
  async (declares) => {
    const photo = '\x07\x80'.repeat(150_000);
    const { photos, leased, free } = await read(JSON.stringify({ photo: encode(photo) }), { declares });
    expect(photos[0] === photo).toBe(true);
    expect(leased).toBeLessThanOrEqual(300_000 + 4);
    expect(free).toBe(0);
  },
);

test('the limit is on the decoded bytes, however they are written', async () => {
  const most = encode('a'.repeat(300_000));
  const lines = most.replaceAll(/.{76}/g, '$&\\r\\n');
  for (const base64 of [most, lines]) expect((await read(`{"photo":"${base64}"}`)).photos[0]?.length).toBe(300_000);
  const more = `{"photo":"${encode('a'.repeat(300_001))}"}`;
  for (const declares of [true, false]) {
    await expect(read(more, { declares })).rejects.toMatchObject({ code: 'body_too_large' });
  }
});

test.each([true, false])('a body that is mostly spaces is refused (length declared: %s)', async (declares) => {
  const text = `{"photo":"${' '.repeat(maxJsonBytes(limits.maxBytes))}SGFsbG8="}`;
  await expect(read(text, { declares })).rejects.toMatchObject({ code: 'body_too_large' });
});

test('the JSON around the photos is limited too', async () => {
  const withText = (length: number) => `{"photo":"AAAA","text":"${'x'.repeat(length)}"}`;
  const frame = '{"photo": 0 ,"text":""}'.length;
  expect((await read(withText(MAX_JSON_BYTES - frame))).photos).toEqual(['\0\0\0']);
  await expect(read(withText(MAX_JSON_BYTES - frame + 1))).rejects.toMatchObject({
    code: 'body_too_large',
    message: expect.stringContaining("belong in 'photo'"),
  });
});

test.each([
  ['a photo in another place', '{"image":"AAAA"}', 'empty_body'],
  ['nothing', '{}', 'empty_body'],
  ['an empty photo', '{"photo":""}', 'empty_body'],
  ['a data: URL of nothing', '{"photo":"data:image/png;base64,"}', 'empty_body'],
  ['no JSON', 'photo=AAAA', 'invalid_body'],
  ['a body that breaks off in a photo', '{"photo":"AAAA', 'invalid_body'],
  ['a body that breaks off in an escape', '{"photo":"AAAA\\', 'invalid_body'],
  ['a body that breaks off after a photo', '{"photo":"AAAA"', 'invalid_body'],
  ['data after the end', '{"photo":"AAAA"} x', 'invalid_body'],
  ['two photos in one place', '{"photo":"AAAA" "BBBB"}', 'invalid_body'],
  ['a digit before a photo', '{"photo":1"AAAA"}', 'invalid_body'],
  ['a minus before a photo', '{"photo":-"AAAA"}', 'invalid_body'],
  ['a malformed key', '{"ph\\uzzzz":"AAAA"}', 'invalid_body'],
  ['text that is not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_body'],
  ['deep nesting', `${'['.repeat(9_000)}${']'.repeat(9_000)}`, 'invalid_body'],
  ['a million instances', `{"photos":[${'"AAAA",'.repeat(30_000)}"AAAA"]}`, 'too_many_photos'],
])('%s is refused', async (_, text, code) => {
  await expect(read(text)).rejects.toMatchObject({ code });
});

test.each([
  ['a byte order mark', '\uFEFF{"photo":"AAAA"}', {}],
  ['an escaped key', '{"ph\\u006fto":"AAAA"}', {}],
  ['huge numbers', '{"a":1e999,"b":123456789012345678901234567890,"photo":"AAAA"}', {}],
  ['braces and quotes in texts', '{"a":"}],\\"photo\\":\\"","photo":"AAAA"}', {}],
])('%s does not confuse it', async (_, text) => {
  expect((await read(text)).photos).toEqual(['\0\0\0']);
});

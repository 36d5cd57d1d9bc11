import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { cardOf, choose, picture, reads, usePage, WHITE } from './page-fixture.ts';

// The committed network: a reduced photo must keep what it looks at.
const fixture = usePage({});

interface Draw {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly type?: string;
  /** The alpha of every pixel, 0 to 1. */
  readonly alpha?: number;
}

interface DrawingPage {
  draw(options: Draw): Promise<Blob | null>;
  /** `prepare` of static/photos/prepare.js. */
  prepare(file: Blob): Promise<{ photo: Blob; isOriginal: boolean }>;
}

interface Answer {
  readonly score: number;
  readonly image: { readonly format: string; readonly width: number; readonly height: number };
}

/** Opens the page and adds `draw`: a picture from a seed, with a gradient, hard edges, fur-like lines and grain. */
async function openDrawing(): Promise<Page> {
  const page = await fixture.open();
  await page.evaluate(() => {
    const draw: DrawingPage['draw'] = ({ width, height, seed, type = 'image/jpeg', alpha = 1 }) => {
      let state = seed + 1;
      const random = () => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      for (let skip = 0; skip < 20; skip++) random();
      const grey = random() < 0.3;
      const colour = () => `hsl(${random() * 360} ${grey ? 10 : 20 + random() * 70}% ${random() * 100}%)`;
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width, height });
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      context.globalAlpha = alpha;
      const gradient = context.createLinearGradient(0, 0, width * random(), height);
      gradient.addColorStop(0, colour());
      gradient.addColorStop(1, colour());
      context.fillStyle = gradient;
      context.fillRect(0, 0, width, height);
      const size = Math.min(width, height);
      for (let shape = 0; shape < 4 + random() * 12; shape++) {
        context.fillStyle = colour();
        context.beginPath();
        const turn = random() * 3;
        const [x, y] = [random() * width, random() * height];
        context.ellipse(x, y, size * 0.3 * random() ** 2, size * 0.3 * random(), turn, 0, 7);
        context.fill();
      }
      context.lineWidth = 1 + random() * 5;
      for (let line = 0; line < 2_000 * random(); line++) {
        context.strokeStyle = colour();
        const [x, y] = [random() * width, random() * height];
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(x + (random() - 0.3) * 60, y + (random() - 0.3) * 60);
        context.stroke();
      }
      const pixels = context.getImageData(0, 0, width, height);
      const grain = 24 * random();
      // A generator of its own, since these are millions of numbers.
      let noise = state;
      for (let at = 0; at < pixels.data.length; at++) {
        noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) | 0;
        if (at % 4 !== 3) pixels.data[at] = (pixels.data[at] ?? 0) + (noise / 2 ** 32) * grain;
      }
      context.putImageData(pixels, 0, 0);
      return new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.9));
    };
    Object.assign(globalThis, { draw });
  });
  // A string, because the browser and not Node resolves this import.
  await page.evaluate(
    `import('/photos/prepare.js').then(({ prepare }) => Object.assign(globalThis, { prepare }) && 0)`,
  );
  return page;
}

/** Draws such a picture and returns the file. */
async function draw(page: Page, options: Draw): Promise<Buffer> {
  const base64 = await page.evaluate(async (wanted) => {
    const blob = await (globalThis as typeof globalThis & DrawingPage).draw(wanted);
    const reader = new FileReader();
    return new Promise<string>((resolve) => {
      reader.onload = () => resolve(String(reader.result).replace(/^.*,/, ''));
      reader.readAsDataURL(blob ?? new Blob());
    });
  }, options);
  return Buffer.from(base64, 'base64');
}

/** Scores the unchanged file. */
async function scoreOf(file: Buffer): Promise<Answer> {
  const response = await fetch(`${fixture.url}/api/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: new Uint8Array(file),
  });
  expect(response.status).toBe(200);
  return response.json();
}

/** Sends the file through the page, and returns the answer and the bytes that the page sent. */
async function sentFor(page: Page, file: Buffer, name: string): Promise<{ answer: Answer; body: Buffer }> {
  // Intercepts the body: the browser's network tools do not show the bytes of a blob.
  await page.evaluate(() => {
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (body) {
      Object.assign(globalThis, { sent: body });
      XMLHttpRequest.prototype.send = send;
      send.call(this, body);
    };
  });
  const requested = page.waitForRequest((request) => request.method() === 'POST');
  await choose(page, picture(file, name, ''));
  const request = await requested;
  const response = await request.response();
  const answer: Answer = await response?.json();
  const bytes = await page.evaluate(async () => {
    const { sent } = globalThis as typeof globalThis & { sent: Blob };
    return [...new Uint8Array(await sent.arrayBuffer())];
  });
  const body = Buffer.from(bytes);
  expect(Number((await request.allHeaders())['content-length'])).toBe(body.byteLength);
  return { answer, body };
}

/** Adds an EXIF segment to the JPEG: an orientation, and a camera name that must not leave the browser. */
function withExif(jpeg: Buffer, orientation: number, mark: string): Buffer {
  const make = Buffer.from(`${mark}\0`);
  const tiff = Buffer.alloc(8 + 2 + 2 * 12 + 4);
  tiff.write('MM\0*', 0, 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(2, 8);
  tiff.writeUInt16BE(0x010f, 10); // Make, ASCII, stored after the directory
  tiff.writeUInt16BE(2, 12);
  tiff.writeUInt32BE(make.byteLength, 14);
  tiff.writeUInt32BE(tiff.byteLength, 18);
  tiff.writeUInt16BE(0x0112, 22); // Orientation, one short
  tiff.writeUInt16BE(3, 24);
  tiff.writeUInt32BE(1, 26);
  tiff.writeUInt16BE(orientation, 30);
  const payload = Buffer.concat([Buffer.from('Exif\0\0'), tiff, make]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(payload.byteLength + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, payload, jpeg.subarray(2)]);
}

test('a photo is sent upright, smaller, and without its EXIF', async () => {
  const page = await openDrawing();
  const plain = await draw(page, { width: 2400, height: 1600, seed: 5 });
  const photo = withExif(plain, 6, 'marked camera');
  expect(photo.includes('marked camera')).toBe(true);
  const { answer, body } = await sentFor(page, photo, 'photo.jpg');
  expect(answer.image).toEqual({ format: 'jpeg', width: 800, height: 1200 });
  expect(body.includes('marked camera')).toBe(false);
  expect(body.includes('Exif')).toBe(false);
  expect(Math.abs(answer.score - (await scoreOf(photo)).score)).toBeLessThan(0.03);
});

test('a format that only the browser reads is sent as a JPEG', async () => {
  const page = await fixture.open();
  const bmp = Buffer.alloc(54 + 64 * 64 * 3, 200);
  bmp.fill(0, 0, 54);
  bmp.write('BM', 0, 'latin1');
  for (const [at, value] of [
    [2, bmp.length],
    [10, 54],
    [14, 40],
    [18, 64],
    [22, 64],
  ] as const)
    bmp.writeUInt32LE(value, at);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  const { answer } = await sentFor(page, bmp, 'photo.bmp');
  expect(answer.image).toEqual({ format: 'jpeg', width: 64, height: 64 });
});

test('a picture with transparency is sent unchanged, and the card says so', async () => {
  const page = await openDrawing();
  const file = await draw(page, { width: 200, height: 160, seed: 3, type: 'image/png', alpha: 0.4 });
  const { answer, body } = await sentFor(page, file, 'logo.png');
  expect(body.equals(file)).toBe(true);
  expect(answer.image.format).toBe('png');
  await cardOf(page, 'logo.png').getByText('sent as it is').waitFor();
});

test('the original is sent if the browser cannot create a bitmap', async () => {
  const page = await fixture.open();
  await page.evaluate(() => {
    globalThis.createImageBitmap = () => Promise.reject(new Error('too large for this device'));
  });
  const { body } = await sentFor(page, WHITE, 'photo.png');
  expect(body.equals(WHITE)).toBe(true);
  await choose(page, picture(Buffer.from('nothing that the API takes'), 'photo.heic', 'image/heic'));
  await reads(page, 'This kind of file is not supported', 'photo.heic');
});

test('the original is sent if the browser adds noise to the pixels of a canvas', async () => {
  const page = await fixture.open();
  await page.addInitScript(() => {
    const { getImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.getImageData = function (...args) {
      const pixels = getImageData.apply(this, args);
      for (let at = 0; at < pixels.data.length; at += 4) pixels.data[at] = (pixels.data[at] ?? 0) ^ 16;
      return pixels;
    };
  });
  await page.reload();
  const { body } = await sentFor(page, WHITE, 'photo.png');
  expect(body.equals(WHITE)).toBe(true);
  expect(await page.getByText('Try a drawing').isVisible()).toBe(false);
});

const logit = (score: number) => Math.log(score / (1 - score));

test.for([
  { count: 100, browser: 'smooths well', isPlain: false },
  { count: 20, browser: 'smooths badly', isPlain: true },
])(
  '$count reduced photos score like their originals if the browser $browser',
  { timeout: 300_000 },
  async ({ count, isPlain }) => {
    const page = await openDrawing();
    if (isPlain) {
      await page.evaluate(() => {
        Reflect.deleteProperty(CanvasRenderingContext2D.prototype, 'imageSmoothingQuality');
      });
    }
    const differences: number[] = [];
    const changes: number[] = [];
    const scores: number[] = [];
    for (let seed = 0; seed < count; seed++) {
      const [width, height] = seed % 50 === 0 ? [4000, 3000] : seed % 3 ? [1280, 1040] : [700, 1150];
      const [reduced, score] = await page.evaluate(
        async (options) => {
          const { draw, prepare } = globalThis as typeof globalThis & DrawingPage;
          const file = await draw(options);
          const scoreOf = async (body: Blob): Promise<number> => {
            const response = await fetch('/api/predict', { method: 'POST', body });
            return (await response.json()).score;
          };
          const { photo, isOriginal } = await prepare(file ?? new Blob());
          if (!file || isOriginal) throw new Error('not reduced');
          return [await scoreOf(photo), await scoreOf(file)] as const;
        },
        { width: width ?? 0, height: height ?? 0, seed },
      );
      differences.push(Math.abs(reduced - score));
      changes.push(Math.abs(logit(reduced) - logit(score)));
      scores.push(score);
    }
    const mean = differences.reduce((sum, each) => sum + each, 0) / differences.length;
    const evidence = changes.reduce((sum, each) => sum + each, 0) / changes.length;
    const logits = scores.map(logit);
    const spread = Math.max(...logits) - Math.min(...logits);
    console.log(
      `mean ${mean.toFixed(5)}, largest ${Math.max(...differences).toFixed(4)}; of log-odds ${evidence.toFixed(3)}, spread ${spread.toFixed(1)}`,
    );
    expect(mean).toBeLessThanOrEqual(0.01);
    // A good network gives drawings low scores, which differ little. So their log-odds must agree too, and the network
    // must tell the pictures apart.
    expect(spread).toBeGreaterThan(1.5);
    expect(evidence).toBeLessThan(spread / 20);
  },
);

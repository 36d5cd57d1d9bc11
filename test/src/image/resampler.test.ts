import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ResamplingPlan, Size } from '../../../src/image/codec.ts';
import { ADAM7 } from '../../../src/image/png/decode.ts';
import type { Reducer } from '../../../src/image/reducer.ts';
import {
  createResampler,
  repeatingNanoseconds,
  resamplingBytes,
  resamplingNanoseconds,
} from '../../../src/image/resampler.ts';
import { seeded } from '../../random.ts';
import { resample } from './resample.ts';

const random = seeded(1);
const upTo = (limit: number) => Math.floor(random() * limit);
const oneOf = <Value>(...values: readonly [Value, ...Value[]]): Value => values[upTo(values.length)] ?? values[0];

interface Case {
  readonly plan: ResamplingPlan;
  readonly extent: Size;
  readonly rgb: Uint8Array;
}

/** Draws a case of any size, filter, order and number of channels. The box is the whole picture or a part of it. */
function drawCase({ largest = 90, ...fixed }: Partial<ResamplingPlan> & { largest?: number } = {}): Case {
  const side = () => 1 + upTo(oneOf(4, 40, largest));
  const photo = { width: side(), height: side() };
  const scale = oneOf(1, 1, 2);
  const [x, y, right, bottom] = oneOf(true, false) ? [0, 0, 1, 1] : [random() / 2, random() / 2, 0.6, 0.7];
  const plan = {
    photo,
    box: { left: x * photo.width, top: y * photo.height, right: right * photo.width, bottom: bottom * photo.height },
    target: { width: 1 + upTo(24), height: 1 + upTo(24) },
    resampling: oneOf('bicubic', 'bilinear', 'lanczos'),
    columnsFirst: oneOf(true, false),
    channels: oneOf(1, 3),
    ...fixed,
  } as const;
  const extent = { width: photo.width / scale, height: photo.height / scale };
  const { width, height } = sizeOf(extent);
  // Black, white and noise, so that overshooting is clipped.
  const rgb = Uint8Array.from({ length: width * height * 3 }, () => oneOf(0, 255, upTo(256)));
  return { plan, extent, rgb };
}

const sizeOf = ({ width, height }: Size): Size => ({ width: Math.ceil(width), height: Math.ceil(height) });

/** Returns the result for a picture that is held in full. */
function expected({ plan, extent, rgb }: Case): Uint8Array {
  const { photo, box, target, channels } = plan;
  const { width, height } = sizeOf(extent);
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(i * 3, i * 3 + 3);
    const grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    rgba.set(channels === 1 ? [grey] : [red, green, blue], i * 4);
  }
  const [across, down] = [extent.width / photo.width, extent.height / photo.height];
  const scaled = {
    left: box.left * across,
    top: box.top * down,
    right: box.right * across,
    bottom: box.bottom * down,
  };
  const resampled = resample({ rgba, width, height }, scaled, target, plan.resampling, plan);
  return resampled.map((_, i) => (i % 4 === 3 ? 255 : (resampled[channels === 1 ? i - (i % 4) : i] ?? 0)));
}

type Add = (reducer: Reducer, picture: Case) => void;

/** Adds the pixels at the columns x, x + step, … of row `y`, with or without alpha. */
function addPart(reducer: Reducer, { extent, rgb }: Case, y: number, x: number, step: number, end: number): void {
  const { width } = sizeOf(extent);
  const channels = oneOf(3, 4);
  const part: number[] = [];
  for (let at = x; at < end; at += step) {
    part.push(...rgb.subarray((y * width + at) * 3, (y * width + at + 1) * 3), ...(channels === 4 ? [77] : []));
  }
  if (part.length > 0) reducer.add(y, Uint8Array.from(part), channels, part.length / channels, x, step);
}

const rowsOf = ({ extent }: Case) => Array.from({ length: Math.ceil(extent.height) }, (_, y) => y);

const inOrder: Add = (reducer, picture) => {
  for (const y of rowsOf(picture)) addPart(reducer, picture, y, 0, 1, Math.ceil(picture.extent.width));
};

const shuffled: Add = (reducer, picture) => {
  const rows = rowsOf(picture).map((y) => [random(), y] as const);
  for (const [, y] of rows.sort(([a], [b]) => a - b)) {
    addPart(reducer, picture, y, 0, 1, Math.ceil(picture.extent.width));
  }
};

const TILE = 16;

const inTiles: Add = (reducer, picture) => {
  const { width, height } = sizeOf(picture.extent);
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      for (let y = top; y < Math.min(height, top + TILE); y++) {
        addPart(reducer, picture, y, left, 1, Math.min(width, left + TILE));
      }
    }
  }
};

const interlaced: Add = (reducer, picture) => {
  const { width, height } = sizeOf(picture.extent);
  for (const [x, top, stepX, stepY] of ADAM7) {
    for (let y = top; y < height; y += stepY) addPart(reducer, picture, y, x, stepX, width);
  }
};

const ORDERS = [
  ['from top to bottom', inOrder, 1],
  ['in any order', shuffled, Number.POSITIVE_INFINITY],
  ['in tiles', inTiles, TILE],
  ['in the passes of Adam7', interlaced, Number.POSITIVE_INFINITY],
] as const;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe.each(ORDERS)('the result is that of the whole picture to the last bit, with rows that arrive %s', (_, add) => {
  test.each([
    ['rows', false],
    ['columns', true],
  ])('%s first', (_name, columnsFirst) => {
    for (let i = 0; i < 150; i++) {
      const picture = drawCase({ columnsFirst });
      const reducer = createResampler(picture.extent, picture.plan);
      add(reducer, picture);
      const { rgba, width, height } = reducer.finish();
      expect({ width, height }).toEqual(picture.plan.target);
      expect(rgba, JSON.stringify({ ...picture, rgb: undefined })).toEqual(expected(picture));
    }
  });
});

test('a repeated row is added once for each of its rows', () => {
  for (let i = 0; i < 100; i++) {
    const picture = drawCase();
    const { width, height } = sizeOf(picture.extent);
    const [top, bottom] = [upTo(height), upTo(height)].sort((a, b) => a - b) as [number, number];
    const first = picture.rgb.subarray(0, width * 3);
    for (const y of rowsOf(picture)) if (y < top || y >= bottom) picture.rgb.set(first, y * width * 3);
    const reducer = createResampler(picture.extent, picture.plan);
    reducer.repeat(0, top, first, 3);
    for (let y = top; y < bottom; y++) addPart(reducer, picture, y, 0, 1, width);
    reducer.repeat(bottom, height, first, 3);
    expect(reducer.finish().rgba).toEqual(expected(picture));
  }
});

describe.each(ORDERS)('memory is at most the estimate, with rows that arrive %s', (_, add, band) => {
  test.each([
    ['rows', false],
    ['columns', true],
  ])('%s first', (_name, columnsFirst) => {
    for (let i = 0; i < 40; i++) {
      const picture = drawCase({ columnsFirst, largest: 300 });
      const estimate = resamplingBytes(picture.extent, picture.plan, band);
      const bytes = countBytes(() => {
        const reducer = createResampler(picture.extent, picture.plan);
        add(reducer, picture);
        reducer.finish();
      });
      expect(bytes).toBeLessThanOrEqual(estimate);
      const isReduced = picture.plan.target.height < 0.4 * picture.extent.height;
      if (isReduced && band !== Number.POSITIVE_INFINITY) expect(estimate).toBeLessThanOrEqual(2 * bytes + 4_000);
    }
  });
});

/** Returns how many bytes `work` allocates for numbers. */
function countBytes(work: () => void): number {
  let bytes = 0;
  for (const name of ['Int32Array', 'Float64Array', 'Uint8ClampedArray'] as const) {
    const counting = {
      construct: (target: (typeof globalThis)[typeof name], args: [number]) => {
        const array = new target(...args);
        if (typeof args[0] === 'number') bytes += array.byteLength;
        return array;
      },
    };
    vi.stubGlobal(name, new Proxy(globalThis[name], counting));
  }
  work();
  vi.unstubAllGlobals();
  return bytes;
}

describe('the estimated time covers the work, and not much more', () => {
  /** Nanoseconds for a multiplication, at least. */
  const LEAST = 1;

  test.each([
    ['rows', false],
    ['columns', true],
  ])('%s first', (_name, columnsFirst) => {
    for (let i = 0; i < 40; i++) {
      const picture = drawCase({ columnsFirst });
      const { width, height } = sizeOf(picture.extent);
      const multiplications = countMultiplications(picture, inOrder);
      const estimate = resamplingNanoseconds(height, width, picture.extent, picture.plan);
      expect(estimate).toBeGreaterThan(LEAST * multiplications);
      expect(estimate).toBeLessThan(5 * multiplications + 5 * width * height + height * 200 + 1_000);
    }
  });

  test('of a repeated row', () => {
    for (let i = 0; i < 40; i++) {
      const picture = drawCase();
      const multiplications = countMultiplications(picture, (reducer, { rgb }) => {
        reducer.repeat(0, Math.ceil(picture.extent.height), rgb, 3);
      });
      expect(repeatingNanoseconds(picture.extent, picture.plan)).toBeGreaterThan(LEAST * multiplications);
    }
  });

  function countMultiplications(picture: Case, add: Add): number {
    const reducer = createResampler(picture.extent, picture.plan);
    const multiply = vi.spyOn(Math, 'imul');
    add(reducer, picture);
    const { length } = multiply.mock.calls;
    multiply.mockRestore();
    return length;
  }
});

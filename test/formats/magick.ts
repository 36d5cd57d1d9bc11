import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ColorSpace,
  ColorType,
  type IMagickImage,
  ImageMagick,
  Interlace,
  initializeImageMagick,
  MagickFormat,
  Orientation,
} from '@imagemagick/magick-wasm';
import { rawProfile } from '../pictures/containers.ts';
import { drawPng } from '../pictures/png.ts';

/** A file that ImageMagick writes in a way that Pillow does not. */
interface Variant {
  readonly name: string;
  readonly format: MagickFormat;
  readonly change: (image: IMagickImage) => void;
}

const SIZES = [
  [61, 47],
  [643, 481],
] as const;

const SAMPLINGS = ['4x1', '4x2', '1x2', '2x1,1x2', '2x2,2x1', '1x1,2x2', '3x1'] as const;

const interlaced = (image: IMagickImage) => {
  image.settings.interlace = Interlace.Plane;
};

function jpegs(): Variant[] {
  const of = (name: string, change: Variant['change']): Variant => ({
    name: `jpeg by ImageMagick ${name}`,
    format: MagickFormat.Jpeg,
    change,
  });
  const define = (key: string, value: string) => (image: IMagickImage) =>
    image.settings.setDefine(MagickFormat.Jpeg, key, value);
  return [
    ...SAMPLINGS.flatMap((sampling) => [
      of(`sampling ${sampling}`, define('sampling-factor', sampling)),
      of(`sampling ${sampling} progressive`, (image) => {
        define('sampling-factor', sampling)(image);
        interlaced(image);
      }),
    ]),
    of('arithmetic', define('arithmetic-coding', 'true')),
    of('grey', (image) => {
      image.colorSpace = ColorSpace.Gray;
    }),
    of('CMYK', (image) => {
      image.colorSpace = ColorSpace.CMYK;
    }),
    of('of quality 40', (image) => {
      image.quality = 40;
    }),
    ...[Orientation.TopRight, Orientation.LeftTop, Orientation.LeftBottom].map((orientation) =>
      of(`orientation ${orientation}`, (image) => {
        image.orientation = orientation;
      }),
    ),
  ];
}

function pngs(): Variant[] {
  const types = {
    'black and white': ColorType.Bilevel,
    grey: ColorType.Grayscale,
    'grey and alpha': ColorType.GrayscaleAlpha,
    palette: ColorType.Palette,
    rgb: ColorType.TrueColor,
    'rgb and alpha': ColorType.TrueColorAlpha,
  };
  const of = (name: string, format: MagickFormat, change: Variant['change']): Variant => ({
    name: `png by ImageMagick ${name}`,
    format,
    change,
  });
  return [
    ...Object.entries(types).flatMap(([name, type]) => [
      of(name, MagickFormat.Png, (image) => {
        image.colorType = type;
      }),
      of(`${name} interlaced`, MagickFormat.Png, (image) => {
        image.colorType = type;
        interlaced(image);
      }),
    ]),
    of('24 bits', MagickFormat.Png24, () => {}),
    of('32 bits', MagickFormat.Png32, () => {}),
    of('48 bits', MagickFormat.Png48, () => {}),
    of('64 bits', MagickFormat.Png64, () => {}),
    of('8 bits', MagickFormat.Png8, () => {}),
    of('orientation in a comment', MagickFormat.Png, (image) => {
      image.setAttribute('Raw profile type exif', rawProfile(6));
    }),
  ];
}

function others(): Variant[] {
  const webp = (name: string, key: string, value: string): Variant => ({
    name: `webp by ImageMagick ${name}`,
    format: MagickFormat.WebP,
    change: (image) => image.settings.setDefine(MagickFormat.WebP, key, value),
  });
  return [
    webp('lossless', 'lossless', 'true'),
    webp('near lossless', 'near-lossless', '40'),
    webp('of segments', 'segment', '4'),
    webp('of partitions', 'partitions', '3'),
    webp('with a simple filter', 'filter-type', '0'),
    webp('of alpha', 'alpha-quality', '30'),
    {
      name: 'gif by ImageMagick interlaced',
      format: MagickFormat.Gif,
      change: interlaced,
    },
    { name: 'gif by ImageMagick', format: MagickFormat.Gif, change: () => {} },
    { name: 'gif by ImageMagick 87a', format: MagickFormat.Gif87, change: () => {} },
  ];
}

/** Draws a landscape of soft and hard edges. */
function drawSource(width: number, height: number): Promise<Uint8Array<ArrayBuffer>> {
  return drawPng(width, height, (x, y) => {
    const [u, v] = [x / width, y / height];
    if ((u - 0.3) ** 2 + (v - 0.35) ** 2 < 0.04) return [240, 215, 50];
    if (v > 0.7 && u + v > 0.9) return [25, 115, 40];
    return [50 + 120 * u, 75 + 100 * v, 230 - 150 * v];
  });
}

/** Writes ImageMagick's files into the folder, and their names to `others.json` there. */
export async function drawOthers(folder: string): Promise<void> {
  const wasm = fileURLToPath(import.meta.resolve('@imagemagick/magick-wasm/magick.wasm'));
  await initializeImageMagick(await readFile(wasm));
  const written: string[] = [];
  for (const [width, height] of SIZES) {
    const source = await drawSource(width, height);
    for (const { name: variant, format, change } of [...jpegs(), ...pngs(), ...others()]) {
      const name = `${variant} ${width}x${height}`;
      const bytes = ImageMagick.read(source, (image) => {
        change(image);
        return image.write(format, (data) => Uint8Array.from(data));
      });
      await writeFile(join(folder, name), bytes);
      written.push(name);
    }
  }
  await writeFile(join(folder, 'others.json'), JSON.stringify(written));
}

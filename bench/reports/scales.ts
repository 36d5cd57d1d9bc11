import * as z from 'zod';
import { table } from '../table.ts';
import { reporter } from './report.ts';

const Scales = z.object({
  pictures: z.number(),
  rows: z.array(
    z.object({
      /** Decoded at 1 / scale. */
      scale: z.number(),
      /** Mean and largest difference of the tensor from Pillow's, in 1/255. */
      tensorMean: z.number(),
      tensorMax: z.number(),
      scoreMean: z.number(),
      scoreMax: z.number(),
      milliseconds: z.number(),
    }),
  ),
});

export const scales = reporter(Scales, ({ pictures, rows }) => ({
  tables: [
    table(
      ['decoded at', 'tensor mean, 1/255', 'tensor max, 1/255', 'score mean', 'score max', 'request, ms'],
      rows.map(({ scale, tensorMean, tensorMax, scoreMean, scoreMax, milliseconds }) => [
        `1/${scale}`,
        tensorMean.toFixed(3),
        tensorMax.toFixed(1),
        scoreMean.toFixed(5),
        scoreMax.toFixed(5),
        milliseconds.toFixed(1),
      ]),
    ),
    `${pictures} pictures of 12 megapixels; differences from Pillow's full decode and Keras.`,
  ],
  figures: {},
  charts: {},
}));

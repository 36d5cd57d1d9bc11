/** The query parameters of the API. */
import * as z from 'zod';

export const PredictQuery = z.object({
  heatmap: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: '`1` adds a heat map: which parts of the photo support the label.' }),
});

export type PredictQuery = z.infer<typeof PredictQuery>;

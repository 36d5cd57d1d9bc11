/** What the API's endpoints take, bodies apart. */
import * as z from 'zod';

export const PredictQuery = z.object({
  heatmap: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: '`1` asks for a heat map as well: which parts of the photo speak for the label.' }),
});

export type PredictQuery = z.infer<typeof PredictQuery>;

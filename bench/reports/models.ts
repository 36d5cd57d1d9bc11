import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { drawScatter } from '../scatter.ts';
import { table } from '../table.ts';
import { reporter, verdict } from './report.ts';

const Models = z.object({
  runs: z.number(),
  rows: z.array(
    z.object({
      name: z.string(),
      /** Pixels a side. */
      input: z.number(),
      megabytes: z.number(),
      auc: z.number().nullable(),
      milliseconds: z.number(),
      p95: z.number(),
      /** To the classic network's median. */
      ratio: z.number(),
    }),
  ),
});

/** For the served network's time, to the classic one's. */
const BUDGET = 1.5;

const HEAD = ['network', 'input', 'MB', 'median / p95, ms', ': classic', 'validation AUC'];

export const models = reporter(Models, ({ rows }) => ({
  tables: [
    table(
      HEAD,
      rows.map(({ name, input, megabytes, milliseconds, p95, ratio, auc }) => [
        name,
        `${input}`,
        megabytes.toFixed(2),
        `${milliseconds.toFixed(1)} / ${p95.toFixed(1)}`,
        ratio.toFixed(2),
        auc === null ? '' : auc.toFixed(4),
      ]),
    ),
    `The budget for the served network is ${BUDGET} times the classic one's time: ${verdict((rows[0]?.ratio ?? Number.NaN) <= BUDGET)}.`,
  ],
  figures: { 'served-to-classic': rows[0]?.ratio.toFixed(2) ?? '-' },
  charts: {},
  drawings: {
    models: (footer) =>
      drawScatter({
        title: 'What a network costs and what it knows',
        x: 'warm inference in workerd, times the classic network',
        y: 'AUC on the validation photos',
        points: rows.flatMap(({ name, ratio, auc }) => {
          const colour = name.startsWith('served') ? COLOURS.vermilion : COLOURS.blue;
          return auc === null ? [] : [{ label: name, x: ratio, y: auc, colour }];
        }),
        footer,
      }),
  },
}));

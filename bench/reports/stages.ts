import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { table } from '../table.ts';
import { drawFlame, FlameNode } from './flame.ts';
import { reporter } from './report.ts';

/** In the order of a photo's way. */
const STAGES = {
  read: { title: 'read the body', colour: COLOURS.sky },
  header: { title: 'header, limits', colour: COLOURS.grey },
  decode: { title: 'decode', colour: COLOURS.green },
  resize: { title: 'resize', colour: COLOURS.orange },
  tensor: { title: 'upright, tensor', colour: '#cc79a7' },
  inference: { title: 'inference', colour: COLOURS.blue },
  answer: { title: 'answer, and all else', colour: COLOURS.vermilion },
  garbage: { title: 'garbage collection', colour: '#bbbbbb' },
} as const;

export type Stage = keyof typeof STAGES;
export const STAGE_NAMES = Object.keys(STAGES) as [Stage, ...Stage[]];

const HTTP = { title: 'HTTP, in workerd itself', colour: '#6e7781' } as const;

const Row = z.object({
  picture: z.string(),
  /** CPU milliseconds of workerd's process for one request, nothing profiled. */
  cpuMilliseconds: z.number(),
  /** The same of a Worker that takes the body in and looks at none of it. */
  floorMilliseconds: z.number(),
  /** Of the time in which the isolate worked, 0 to 1; together 1. */
  shares: z.record(z.enum(STAGE_NAMES), z.number()),
  /** Microseconds of all profiled requests. */
  flame: FlameNode,
});
type Row = z.infer<typeof Row>;

const Stages = z.object({ runs: z.number(), rows: z.array(Row) });

const slug = (picture: string) => picture.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/** CPU milliseconds of a stage: its share of what is left when HTTP's have been taken off. */
const spentIn = ({ shares, cpuMilliseconds, floorMilliseconds }: Row, stage: Stage) =>
  shares[stage] * (cpuMilliseconds - floorMilliseconds);

export const stages = reporter(Stages, ({ runs, rows }) => {
  const cell = ({ cpuMilliseconds }: Row, milliseconds: number) =>
    `${milliseconds.toFixed(1)} (${((milliseconds / cpuMilliseconds) * 100).toFixed(0)} %)`;
  const lines = [
    [HTTP.title, ...rows.map((row) => cell(row, row.floorMilliseconds))],
    ...STAGE_NAMES.map((stage) => [
      STAGES[stage].title,
      ...rows.map((row) => cell(row, spentIn(row, stage))),
    ]),
    ['all', ...rows.map(({ cpuMilliseconds }) => cpuMilliseconds.toFixed(1))],
  ];
  const note = `CPU time of workerd's process, ${runs} requests each, one at a time; the shares of the stages are V8's profiler's.`;
  return {
    tables: [table(['CPU ms a request', ...rows.map(({ picture }) => picture)], lines), note],
    figures: Object.fromEntries(rows.flatMap(figuresOf)),
    charts: {
      stages: {
        title: 'Where the time goes',
        subtitle: 'CPU time of one request by the stages of the photo’s way; warm, one at a time',
        unit: 'ms',
        legend: [HTTP, ...Object.values(STAGES)].map(({ title, colour }) => ({ label: title, colour })),
        groups: rows.map((row) => ({
          label: row.picture,
          bars: [
            {
              label: row.picture,
              parts: [
                { value: row.floorMilliseconds, colour: HTTP.colour },
                ...STAGE_NAMES.map((stage) => ({
                  value: spentIn(row, stage),
                  colour: STAGES[stage].colour,
                })),
              ],
            },
          ],
        })),
      },
    },
    drawings: Object.fromEntries(
      rows.map((row) => [`flame-${slug(row.picture)}`, (footer: string) => flameOf(row, footer)]),
    ),
  };
});

function figuresOf(row: Row): [string, string][] {
  const name = slug(row.picture);
  return [
    [`${name}-cpu-ms`, row.cpuMilliseconds.toFixed(0)],
    ...STAGE_NAMES.map((stage): [string, string] => [
      `${name}-${stage}-share`,
      `${((spentIn(row, stage) / row.cpuMilliseconds) * 100).toFixed(0)} %`,
    ]),
  ];
}

function flameOf({ picture, flame }: Row, footer: string): string {
  const order = (node: FlameNode) => STAGE_NAMES.indexOf(node.name as Stage);
  const children = flame.children.toSorted((a, b) => order(a) - order(b));
  return drawFlame({
    title: `One request: ${picture}`,
    subtitle: 'by stage, and the calls inside each; as wide as its share of the isolate’s working time',
    root: { ...flame, children },
    colours: Object.fromEntries(STAGE_NAMES.map((stage) => [stage, STAGES[stage].colour])),
    describe: ({ value }) => `${((value / flame.value) * 100).toFixed(1)} %`,
    footer,
  });
}

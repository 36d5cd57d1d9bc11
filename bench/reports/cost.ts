import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { table } from '../table.ts';
import { reporter, verdict } from './report.ts';

/**
 * US dollars per million, beyond what the paid plan includes. From Cloudflare's pages, which docs/benchmarks.md names:
 * Workers pricing, R2 pricing (Class B: reads), and the page of Workers AI's resnet-50.
 */
export const TARIFF = { requests: 0.3, cpuMilliseconds: 0.02, reads: 0.36, resnet: 2.5 } as const;

/** Assumed of the traffic: how many requests an isolate answers in its life, and between two looks at the channel. */
export const ASSUMED = { requestsPerIsolate: 1_000, requestsPerLook: 60 } as const;

/** For a browser-reduced photo: dollars per million, and CPU milliseconds. */
const GOAL = { picture: 'JPEG 512 px', dollars: 0.8, cpuMilliseconds: 20 } as const;

const Cost = z.object({
  /** Requests of each row. */
  requests: z.number(),
  rows: z.array(
    z.object({
      name: z.string(),
      bytes: z.number(),
      /** Whether it needs the model. */
      photo: z.boolean(),
      /** CPU milliseconds of workerd's process for one request. */
      cpuMilliseconds: z.number(),
    }),
  ),
  /** Of an isolate's first answer: CPU milliseconds, and reads from R2. */
  start: z.object({ cpuMilliseconds: z.number(), reads: z.number() }),
});
type Data = z.infer<typeof Cost>;

/** Dollars for a million requests, by what they are paid for. */
function priceOf({ cpuMilliseconds, photo }: Data['rows'][number], { start }: Data) {
  const { requestsPerIsolate, requestsPerLook } = ASSUMED;
  const share = photo ? 1 : 0;
  const startCpu = (share * start.cpuMilliseconds) / requestsPerIsolate;
  const reads = share * (start.reads / requestsPerIsolate + 1 / requestsPerLook);
  const parts = {
    requests: TARIFF.requests,
    cpu: cpuMilliseconds * TARIFF.cpuMilliseconds,
    starts: startCpu * TARIFF.cpuMilliseconds,
    reads: reads * TARIFF.reads,
  };
  return { ...parts, all: parts.requests + parts.cpu + parts.starts + parts.reads };
}

/** How the goals stand, where their picture was among those sent. */
function goalOf(data: Data): string {
  const row = data.rows.find(({ name }) => name === GOAL.picture);
  if (!row) return '';
  const isCheap = priceOf(row, data).all < GOAL.dollars;
  const isQuick = row.cpuMilliseconds < GOAL.cpuMilliseconds;
  return `Goals for ${GOAL.picture}: below ${dollars(GOAL.dollars)} (${verdict(isCheap)}) and ${GOAL.cpuMilliseconds} CPU ms (${verdict(isQuick)}). `;
}

const PARTS = [
  { key: 'requests', title: 'requests', colour: COLOURS.grey },
  { key: 'cpu', title: 'CPU', colour: COLOURS.blue },
  { key: 'starts', title: 'CPU of starts', colour: COLOURS.sky },
  { key: 'reads', title: 'R2 reads', colour: COLOURS.orange },
] as const;

const dollars = (value: number) => `$${value.toFixed(value < 0.1 ? 3 : 2)}`;

export const cost = reporter(Cost, (data) => {
  const { rows, start, requests } = data;
  const priced = rows.map((row) => ({ row, price: priceOf(row, data) }));
  const lines = priced.map(({ row: { name, cpuMilliseconds, photo }, price }) => [
    name,
    cpuMilliseconds.toFixed(1),
    ...PARTS.map(({ key }) => dollars(price[key])),
    dollars(price.all),
    photo ? (TARIFF.resnet / price.all).toFixed(1) : '',
  ]);
  const formula = `Dollars per million requests = ${TARIFF.requests.toFixed(2)} + ${TARIFF.cpuMilliseconds} x CPU ms + ${TARIFF.cpuMilliseconds} x ${start.cpuMilliseconds.toFixed(0)} / ${ASSUMED.requestsPerIsolate} + ${TARIFF.reads} x (${start.reads} / ${ASSUMED.requestsPerIsolate} + 1 / ${ASSUMED.requestsPerLook}).`;
  const note = `${formula} An isolate's first answer takes ${start.cpuMilliseconds.toFixed(0)} ms of CPU time and ${start.reads} reads from R2. Assumed are ${ASSUMED.requestsPerIsolate} requests an isolate and ${ASSUMED.requestsPerLook} between two looks at the channel. ${goalOf(data)}CPU time of workerd's process, ${requests} requests each. resnet-50: $${TARIFF.resnet.toFixed(2)} per million, and the Worker that calls it comes on top.`;
  return {
    tables: [
      table(
        [
          'per million requests',
          'CPU ms',
          ...PARTS.map(({ title }) => title),
          'all',
          'resnet-50 costs, times',
        ],
        lines,
      ),
      note,
    ],
    figures: Object.fromEntries(
      priced.flatMap(({ row, price }): [string, string][] => {
        const name = row.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
        return [
          [`${name}-usd`, `$${price.all.toFixed(2)}`],
          [`${name}-cpu-ms`, row.cpuMilliseconds.toFixed(0)],
        ];
      }),
    ),
    charts: {
      cost: {
        title: 'A million requests',
        subtitle: 'US dollars by the published tariff, with the CPU time of the local workerd',
        unit: 'dollars',
        legend: PARTS.map(({ title, colour }) => ({ label: title, colour })),
        limits: [{ value: GOAL.dollars, label: `goal ${dollars(GOAL.dollars)}` }],
        groups: [
          ...priced.map(({ row, price }) => ({
            label: row.name,
            bars: [
              {
                label: row.name,
                parts: PARTS.map(({ key, colour }) => ({ value: price[key], colour })),
                text: dollars(price.all),
              },
            ],
          })),
          {
            label: 'Workers AI, resnet-50',
            bars: [
              {
                label: 'resnet-50',
                parts: [{ value: TARIFF.resnet, colour: COLOURS.vermilion }],
                text: dollars(TARIFF.resnet),
              },
            ],
          },
        ],
      },
    },
  };
});

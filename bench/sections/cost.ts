import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { cpuMilliseconds } from '../cpu.ts';
import type { Picture } from '../pictures.ts';
import { Client, textOf } from '../request.ts';
import { defineSection, slug, verdict } from '../section.ts';
import { median, round } from '../statistics.ts';
import { table } from '../table.ts';
import { type Bundle, bundle, createStore, type Store, startWorkerd } from '../workerd.ts';

const [RUNS, WARM_UP, STARTS] = [120, 30, 7];
/** Rows alternate this often, so that a slow phase of the machine affects all of them. */
const TURNS = 4;
/** A page of the Worker's own; the start page and its files are static assets, which are free. */
const PAGE = '/docs';
/** A page costs so little that it takes more requests to measure. */
const PAGES = 5;

/**
 * US dollars per million, beyond what the paid plan includes. Sources: Cloudflare's pages on Workers pricing, R2 pricing
 * (reads are Class B operations), and Workers AI's resnet-50; docs/benchmarks.md links to them.
 */
const TARIFF = { requests: 0.3, cpuMilliseconds: 0.02, reads: 0.36, resnet: 2.5 } as const;

/** Assumptions about traffic: requests in an isolate's life, and between two checks of the channel. */
const ASSUMED = { requestsPerIsolate: 1_000, requestsPerCheck: 60 } as const;

const GOAL = { picture: 'JPEG 512 px', dollars: 0.8, cpuMilliseconds: 20 } as const;

const PARTS = [
  { key: 'requests', name: 'requests', colour: COLOURS.grey },
  { key: 'cpu', name: 'CPU', colour: COLOURS.blue },
  { key: 'starts', name: 'CPU of starts', colour: COLOURS.sky },
  { key: 'reads', name: 'R2 reads', colour: COLOURS.orange },
] as const;

const Row = z.object({
  name: z.string(),
  /** Whether the request needs the model. */
  photo: z.boolean(),
  /** Of workerd's process, for one request. */
  cpuMilliseconds: z.number(),
});
type Row = z.infer<typeof Row>;

/** CPU milliseconds and R2 reads of an isolate's first answer. */
const Start = z.object({ cpuMilliseconds: z.number(), reads: z.number() });
type Start = z.infer<typeof Start>;

/** CPU time of workerd's process, warm and at an isolate's start, and what Cloudflare charges for it. */
export const cost = defineSection({
  name: 'cost',
  schema: z.object({
    /** Requests for each row. */
    requests: z.number(),
    start: Start,
    rows: z.array(Row),
  }),

  async measure({ album, progress, runs = RUNS }) {
    const pictures = await album.pick(['JPEG 512 px', 'JPEG 12 MP, reduced', 'JPEG 12 MP', 'PNG 800 px']);
    progress.show('cost');
    const store = await createStore();
    try {
      const rows = await measureRows(store, pictures, runs);
      const modules = await bundle('bench/worker/traced.js');
      const starts: Start[] = [];
      for (let start = 1; start <= Math.min(STARTS, runs); start++) {
        progress.show('cost', `start ${start}`);
        starts.push(await measureStart(store, modules, pictures[0]));
      }
      const start = {
        cpuMilliseconds: median(starts.map((each) => each.cpuMilliseconds)),
        reads: median(starts.map(({ reads }) => reads)),
      };
      return { requests: runs, start, rows };
    } finally {
      await store.remove();
    }
  },

  report({ requests, start, rows }) {
    const priced = rows.map((row) => ({ ...row, price: priceOf(row, start) }));
    const goal = priced.find(({ name }) => name === GOAL.picture);
    const goals = goal
      ? `Goals for ${GOAL.picture}: below ${dollars(GOAL.dollars)} (${verdict(goal.price.all < GOAL.dollars)}) and ${GOAL.cpuMilliseconds} CPU ms (${verdict(goal.cpuMilliseconds < GOAL.cpuMilliseconds)}). `
      : '';
    return {
      tables: [
        table(
          ['per million requests', 'CPU ms', ...PARTS.map(({ name }) => name), 'all', 'resnet-50 : this'],
          priced.map(({ name, photo, price, ...row }) => [
            name,
            row.cpuMilliseconds.toFixed(1),
            ...PARTS.map(({ key }) => dollars(price[key])),
            dollars(price.all),
            photo ? (TARIFF.resnet / price.all).toFixed(1) : '',
          ]),
        ),
        `Dollars per million = ${TARIFF.requests.toFixed(2)} + ${TARIFF.cpuMilliseconds} x CPU ms + ${TARIFF.cpuMilliseconds} x ${start.cpuMilliseconds.toFixed(0)} / ${ASSUMED.requestsPerIsolate} + ${TARIFF.reads} x (${start.reads} / ${ASSUMED.requestsPerIsolate} + 1 / ${ASSUMED.requestsPerCheck}). An isolate's first answer takes ${start.cpuMilliseconds.toFixed(0)} ms of CPU time and ${start.reads} reads from R2. Assumptions: ${ASSUMED.requestsPerIsolate} requests for each isolate, ${ASSUMED.requestsPerCheck} between two checks of the channel. ${goals}${requests} requests for each row. resnet-50 costs $${TARIFF.resnet.toFixed(2)} per million, plus the Worker that calls it.`,
      ],
      figures: Object.fromEntries(
        priced.flatMap(({ name, price, ...row }) => [
          [`${slug(name)}-usd`, dollars(price.all)],
          [`${slug(name)}-cpu-ms`, row.cpuMilliseconds.toFixed(0)],
        ]),
      ),
      charts: {
        cost: {
          title: 'A million requests',
          subtitle: 'US dollars at list price, with the CPU time of the local workerd',
          rows: [...rows.map(({ name }) => name), 'Workers AI, resnet-50'],
          series: [
            ...PARTS.map(({ key, ...part }) => ({
              ...part,
              values: [...priced.map(({ price }) => price[key]), 0],
            })),
            { name: 'resnet-50', colour: COLOURS.vermilion, values: [...rows.map(() => 0), TARIFF.resnet] },
          ],
          totals: [...priced.map(({ price }) => dollars(price.all)), dollars(TARIFF.resnet)],
          limits: [{ value: GOAL.dollars, label: `goal ${dollars(GOAL.dollars)}` }],
        },
      },
    };
  },
});

/** Dollars for a million requests, by what is charged for. */
function priceOf({ cpuMilliseconds, photo }: Row, start: Start) {
  const perIsolate = photo ? 1 / ASSUMED.requestsPerIsolate : 0;
  const perCheck = photo ? 1 / ASSUMED.requestsPerCheck : 0;
  const parts = {
    requests: TARIFF.requests,
    cpu: cpuMilliseconds * TARIFF.cpuMilliseconds,
    starts: perIsolate * start.cpuMilliseconds * TARIFF.cpuMilliseconds,
    reads: (perIsolate * start.reads + perCheck) * TARIFF.reads,
  };
  return { ...parts, all: parts.requests + parts.cpu + parts.starts + parts.reads };
}

const dollars = (value: number) => `$${value.toFixed(value < 0.1 ? 3 : 2)}`;

async function measureRows(store: Store, pictures: readonly Picture[], runs: number): Promise<Row[]> {
  const workerd = await startWorkerd(await bundle('src/index.ts'), store);
  const client = new Client(workerd.url);
  const turn = Math.ceil(runs / TURNS);
  const rows = [
    ...pictures.map((picture) => ({
      name: picture.name,
      photo: true,
      send: () => client.post('/api/predict', picture),
      times: turn,
      spent: 0,
    })),
    { name: `GET ${PAGE}`, photo: false, send: () => client.get(PAGE), times: turn * PAGES, spent: 0 },
  ];
  try {
    for (const { send } of rows) for (let i = 0; i < WARM_UP; i++) textOf(await send());
    for (let i = 0; i < TURNS; i++) {
      for (const row of rows) {
        const before = cpuMilliseconds(workerd.pid);
        for (let sent = 0; sent < row.times; sent++) textOf(await row.send());
        row.spent += cpuMilliseconds(workerd.pid) - before;
      }
    }
  } finally {
    await workerd.stop();
  }
  return rows.map(({ name, photo, spent, times }) => ({
    name,
    photo,
    cpuMilliseconds: round(spent / (times * TURNS), 2),
  }));
}

/** The first answer of an isolate in a fresh process. */
async function measureStart(store: Store, modules: Bundle, picture: Picture): Promise<Start> {
  const workerd = await startWorkerd(modules, store);
  const client = new Client(workerd.url);
  try {
    await workerd.warmBucket();
    const before = cpuMilliseconds(workerd.pid);
    textOf(await client.post('/api/predict', picture));
    const spent = cpuMilliseconds(workerd.pid) - before;
    const { reads } = Start.pick({ reads: true }).parse(JSON.parse(textOf(await client.get('/bench/spans'))));
    return { cpuMilliseconds: round(spent), reads };
  } finally {
    await workerd.stop();
  }
}

import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { type HeapUsage, Inspector } from '../inspector.ts';
import type { Picture } from '../pictures.ts';
import { Limits, type memory, type Step, WasmBytes } from '../reports/memory.ts';
import type { DataOf } from '../reports/report.ts';
import { Client } from '../request.ts';
import type { Options } from '../section.ts';
import { bundle, createStore, startWorkerd } from '../workerd.ts';

/** Requests with each picture: garbage needs a few to pile up. */
const EACH = 4;
const AT_ONCE = 32;
const POLL = 5;

const Peaks = WasmBytes.extend({ leased: z.number() });

/** One isolate, one picture after the other, then many at once; what one leaves behind counts for the next. */
export async function measureMemory({ album, progress }: Options): Promise<DataOf<typeof memory>> {
  const pictures = await album.pick([
    'JPEG 800 px',
    'PNG 800 px',
    'WebP 800 px',
    'GIF 800 px',
    'JPEG 3 MP',
    'JPEG 12 MP',
    'JPEG 12 MP progressive',
    'JPEG 48 MP',
    'PNG 2880 x 1800',
    'PNG 3840 x 2160',
    'WebP 8 MP',
  ]);
  const [crowd] = await album.pick(['JPEG 12 MP'], /jpeg$/);
  progress.show('memory: starting workerd');
  const store = await createStore();
  const workerd = await startWorkerd(await bundle('bench/worker/memory.js'), store, { inspect: true });
  const client = new Client(workerd.url, AT_ONCE);
  try {
    const inspector = await Inspector.connect(workerd.inspector ?? '');
    const measure = async (name: string, bodies: number | undefined, requests: () => Promise<number[]>) => {
      const step = await measureStep(client, inspector, requests);
      return { name, ...step, bodies: bodies ?? step.bodies };
    };
    const steps = [
      await measure('Worker alone', 0, async () => [(await client.get('/nowhere')).status]),
      await measure('with the model', 0, async () => [(await client.get('/api/health')).status]),
    ];
    const send = async (picture: Picture) => (await client.post('/api/predict', picture)).status;
    for (const [index, picture] of pictures.entries()) {
      progress.show('memory', `picture ${index + 1} of ${pictures.length}`);
      steps.push(
        await measure(picture.name, picture.bytes.length, async () => {
          const statuses = [];
          for (let i = 0; i < EACH; i++) statuses.push(await send(picture));
          return statuses;
        }),
      );
    }
    if (crowd) {
      progress.show('memory', `${AT_ONCE} at once`);
      const all = () => Promise.all(Array.from({ length: AT_ONCE }, () => send(crowd)));
      steps.push(await measure(`${AT_ONCE} x ${crowd.name} at once`, undefined, all));
    }
    inspector.close();
    const { body } = await client.get('/bench/limits');
    return { limits: Limits.parse(JSON.parse(body.toString())), steps };
  } finally {
    client.close();
    await workerd.stop();
    await store.remove();
  }
}

async function measureStep(
  client: Client,
  inspector: Inspector,
  requests: () => Promise<number[]>,
): Promise<Omit<Step, 'name'>> {
  await client.post('/bench/reset', { bytes: Buffer.alloc(0), type: 'application/octet-stream' });
  let heap = await inspector.heapUsage();
  let done = false;
  const watch = (async () => {
    while (!done) {
      heap = largest(heap, await inspector.heapUsage());
      await setTimeout(POLL);
    }
  })();
  const codes = await requests().finally(() => {
    done = true;
  });
  await watch;
  heap = largest(heap, await inspector.heapUsage());
  const { body } = await client.get('/bench/peaks');
  const { leased, ...wasm } = Peaks.parse(JSON.parse(body.toString()));
  await inspector.collectGarbage(() => client.get('/nowhere'));
  const kept = await inspector.heapUsage();
  const statuses: Record<string, number> = {};
  for (const code of codes) statuses[code] = (statuses[code] ?? 0) + 1;
  // What is leased is for bodies and for the decoder whose memory has been counted already.
  const decoders = (wasm.parts.jpeg ?? 0) + (wasm.parts.webp ?? 0);
  return { statuses, wasm, heap, kept, bodies: Math.max(0, leased - decoders) };
}

/** The one whose sum of objects and buffers is larger: they are shown side by side and must fit each other. */
function largest(one: HeapUsage, other: HeapUsage): HeapUsage {
  return other.used + other.buffers > one.used + one.buffers ? other : one;
}

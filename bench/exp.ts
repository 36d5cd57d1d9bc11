import { readFileSync } from 'node:fs';
import { bundle, createStore, startWorkerd } from './workerd.ts';
import { cpuMilliseconds } from './cpu.ts';
const store = await createStore();
const w = await startWorkerd(await bundle('bench/worker/decode.js'), store);
for (const file of process.argv.slice(2)) {
  const body = readFileSync(file);
  let best = 1e9, text = '';
  for (let i = 0; i < 3; i++) {
    const b = cpuMilliseconds(w.pid); const t = performance.now();
    text = await (await fetch(w.url + '/', { method: 'POST', body })).text();
    best = Math.min(best, cpuMilliseconds(w.pid) - b);
    if (performance.now() - t > 1500) break;
  }
  console.log(String(best).padStart(6), text, file.split('/').at(-1), body.length);
}
await w.stop(); await store.remove();

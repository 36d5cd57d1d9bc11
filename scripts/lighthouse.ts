/**
 * `npm run lighthouse -- [--url URL]`: audits the page with Lighthouse, as on a phone on a slow network and as on a
 * desktop. Starts a service unless given a URL. Fails if a score is below 95.
 */

import { parseArgs } from 'node:util';
import lighthouse, { desktopConfig } from 'lighthouse';
import { runCommand } from '../registry/command.ts';
import { startWorker } from '../test/e2e/wrangler.ts';
import { launchChromium } from './chromium.ts';
import { freePort } from './wrangler-dev.ts';

const MIN_SCORE = 95;
/** Runs per device; the median counts, because performance depends on the machine's other load. */
const RUNS = 3;
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

const { values } = parseArgs({ options: { url: { type: 'string' } } });

type Device = 'phone' | 'desktop';

async function audit(url: string, port: number, device: Device) {
  const flags = { port, onlyCategories: CATEGORIES, logLevel: 'error' } as const;
  const result = await lighthouse(url, flags, device === 'desktop' ? desktopConfig : undefined);
  if (!result) throw new Error('Lighthouse returned no result');
  if (result.lhr.runtimeError) throw new Error(result.lhr.runtimeError.message);
  return result.lhr;
}

/** Prints the scores of the median run on one device, with the audits that cost points. Returns whether all scores pass. */
async function judge(url: string, port: number, device: Device): Promise<boolean> {
  const runs: Awaited<ReturnType<typeof audit>>[] = [];
  for (let run = 1; run <= RUNS; run++) {
    process.stderr.write(`${device}, ${run} of ${RUNS} …\n`);
    runs.push(await audit(url, port, device));
  }
  const performanceOf = (run: (typeof runs)[number]) => run.categories.performance?.score ?? 0;
  const median = runs.sort((a, b) => performanceOf(a) - performanceOf(b))[RUNS >> 1];
  if (!median) throw new Error('no run');
  let passes = true;
  for (const { title, score, auditRefs } of Object.values(median.categories)) {
    const points = Math.round((score ?? 0) * 100);
    passes &&= points >= MIN_SCORE;
    console.log(`${device.padEnd(8)} ${title.padEnd(15)} ${points}`);
    for (const { id, weight } of auditRefs) {
      const { score: part, title: what, displayValue = '' } = median.audits[id] ?? {};
      if (weight > 0 && typeof part === 'number' && part < 0.9) console.log(`           ${what} ${displayValue}`);
    }
  }
  return passes;
}

async function main(): Promise<void> {
  const worker = values.url === undefined ? await startWorker() : undefined;
  const port = await freePort();
  const browser = await launchChromium([`--remote-debugging-port=${port}`]);
  try {
    const url = values.url ?? worker?.url ?? '';
    // Load the model first: the benchmarks measure that.
    await fetch(new URL('/api/health', url));
    const phone = await judge(url, port, 'phone');
    const desktop = await judge(url, port, 'desktop');
    if (!phone || !desktop) process.exitCode = 1;
  } finally {
    await browser.close();
    await worker?.stop();
  }
}

runCommand(main);

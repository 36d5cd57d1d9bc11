/**
 * `npm run lighthouse -- [--url URL]`: what Lighthouse says of the page as on a phone on a slow network, and as on a
 * desktop. Without a URL it starts a service of its own. Fails where a score is below 95.
 */

import { parseArgs } from 'node:util';
import lighthouse, { desktopConfig } from 'lighthouse';
import { runCommand } from '../registry/command.ts';
import { startWorker } from '../test/e2e/wrangler.ts';
import { launchChromium } from './chromium.ts';
import { freePort } from './wrangler-dev.ts';

const LOWEST = 95;
/** Of each device: performance depends on what else the machine is doing. */
const RUNS = 3;
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

const { values } = parseArgs({ options: { url: { type: 'string' } } });

type Device = 'phone' | 'desktop';

async function audit(url: string, port: number, device: Device) {
  const flags = { port, onlyCategories: CATEGORIES, logLevel: 'error' } as const;
  const result = await lighthouse(url, flags, device === 'desktop' ? desktopConfig : undefined);
  if (!result) throw new Error('Lighthouse gave no result');
  if (result.lhr.runtimeError) throw new Error(result.lhr.runtimeError.message);
  return result.lhr;
}

/** Prints the scores of one device, and what costs points: the run with the middle performance of several. */
async function judge(url: string, port: number, device: Device): Promise<boolean> {
  const runs: Awaited<ReturnType<typeof audit>>[] = [];
  for (let run = 1; run <= RUNS; run++) {
    process.stderr.write(`${device}, ${run} of ${RUNS} …\n`);
    runs.push(await audit(url, port, device));
  }
  const performanceOf = (run: (typeof runs)[number]) => run.categories.performance?.score ?? 0;
  const middle = runs.sort((a, b) => performanceOf(a) - performanceOf(b))[RUNS >> 1];
  if (!middle) throw new Error('no run');
  let isGood = true;
  for (const { title, score, auditRefs } of Object.values(middle.categories)) {
    const points = Math.round((score ?? 0) * 100);
    isGood &&= points >= LOWEST;
    console.log(`${device.padEnd(8)} ${title.padEnd(15)} ${points}`);
    for (const { id, weight } of auditRefs) {
      const { score: part, title: what, displayValue = '' } = middle.audits[id] ?? {};
      if (weight > 0 && typeof part === 'number' && part < 0.9)
        console.log(`           ${what} ${displayValue}`);
    }
  }
  return isGood;
}

async function main(): Promise<void> {
  const worker = values.url === undefined ? await startWorker() : undefined;
  const port = await freePort();
  const browser = await launchChromium([`--remote-debugging-port=${port}`]);
  try {
    const url = values.url ?? worker?.url ?? '';
    // The model is fetched by the first who asks for it; that is measured elsewhere.
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

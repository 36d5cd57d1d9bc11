/**
 * `npm run lighthouse -- [--url URL]`: what Lighthouse says of the page as on a phone on a slow network, and as on a
 * desktop. Without a URL it starts a service of its own. Fails where a score is below 95.
 */

import { parseArgs } from 'node:util';
import lighthouse, { desktopConfig } from 'lighthouse';
import { runCommand } from '../convert/command.ts';
import { startWorker } from '../test/e2e/wrangler.ts';
import { launchChromium } from './chromium.ts';
import { freePort } from './wrangler-dev.ts';

const LOWEST = 95;
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

const { values } = parseArgs({ options: { url: { type: 'string' } } });

/** Prints the scores of one device, and what costs points. Returns whether all are high enough. */
async function audit(url: string, port: number, device: 'phone' | 'desktop'): Promise<boolean> {
  const flags = { port, onlyCategories: CATEGORIES, logLevel: 'error' } as const;
  const result = await lighthouse(url, flags, device === 'desktop' ? desktopConfig : undefined);
  if (!result) throw new Error('Lighthouse gave no result');
  const { categories, audits, runtimeError } = result.lhr;
  if (runtimeError) throw new Error(runtimeError.message);
  let isGood = true;
  for (const { title, score, auditRefs } of Object.values(categories)) {
    const points = Math.round((score ?? 0) * 100);
    isGood &&= points >= LOWEST;
    console.log(`${device.padEnd(8)} ${title.padEnd(15)} ${points}`);
    for (const { id, weight } of auditRefs) {
      const { score: part, title: what, displayValue = '' } = audits[id] ?? {};
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
    console.error('A minute …');
    const phone = await audit(url, port, 'phone');
    const desktop = await audit(url, port, 'desktop');
    if (!phone || !desktop) process.exitCode = 1;
  } finally {
    await browser.close();
    await worker?.stop();
  }
}

runCommand(main);

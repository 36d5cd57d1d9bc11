/**
 * `npm run demo:watch -- [--photos N] [--html FILE]`
 *
 * Sends drawn photos through a real `wrangler dev`, and runs `npm run model:watch` on its log: traffic like the
 * validation photos must raise no alarm, traffic that shifts half-way must. Exits with status 1 if not.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { sendTraffic, startWatched, watchLog } from './traffic.ts';

const { values } = parseArgs({
  options: {
    photos: { type: 'string', default: '1000' },
    html: { type: 'string', default: '.wrangler/watch-report.html' },
  },
});
const photos = Number(values.photos);
await mkdir(dirname(values.html), { recursive: true });
const worker = await startWatched();
try {
  for (const shifts of [false, true]) {
    console.log(`\n${photos} photos ${shifts ? 'that get brighter half-way' : 'like those of the validation'} …\n`);
    const log = await sendTraffic(worker, photos, shifts, shifts ? 3 : 2);
    const html = shifts ? ['--html', values.html] : [];
    const { stdout, stderr, exitCode } = await watchLog(worker, log, '--last', String(photos / 2), ...html);
    console.log(stdout, stderr, `\nexit status ${exitCode}`);
    if (exitCode !== Number(shifts)) process.exitCode = 1;
  }
  console.log(`\nThe report: ${values.html}`);
} finally {
  await worker.stop();
}

/**
 * `npm run demo:canary -- [--rounds N]`
 *
 * Starts isolates in workerd processes over one bucket: with a good candidate, whose share must hold within what chance
 * allows, and with bad ones, which must cost no request. Each round starts 16 isolates. Exits with status 1 if not.
 */
import { parseArgs } from 'node:util';
import { bundle } from '../../../bench/workerd.ts';
import { modelKey } from '../../../src/model/layout.ts';
import { CanaryScene, likelyRange, noSurvey, type Survey } from './isolates.ts';

const [GOOD, BAD] = [20, 80];

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '4' } } });
const rounds = Number(values.rounds);
const scene = await CanaryScene.create(await bundle('src/index.ts'));

function report(what: string, { isolates, requests, faults }: Survey, drawn: number, share: number): void {
  const [least, most] = likelyRange(isolates, share / 100);
  const holds = drawn >= least && drawn <= most;
  console.log(`${what}: ${drawn} of ${isolates} isolates drew it at ${share} %; chance allows ${least} to ${most}`);
  console.log(`  ${requests} requests, ${faults.length} faults${faults.map((fault) => `\n  ${fault}`).join('')}`);
  if (!holds || faults.length > 0) process.exitCode = 1;
}

async function surveyRounds(found: Survey, count: number): Promise<void> {
  for (let round = 1; round <= count; round++) {
    console.error(`round ${round} of ${count} …`);
    await scene.survey(found);
  }
}

try {
  await scene.startCanary('colour', GOOD);
  const good = noSurvey();
  await surveyRounds(good, rounds);
  report('a good candidate', good, good.candidates, GOOD);

  const bad = noSurvey();
  await scene.startCanary('independent', BAD, (bucket, version) =>
    bucket.put(modelKey(version, 'model.onnx'), 'bytes'),
  );
  await surveyRounds(bad, Math.ceil(rounds / 2));
  report('a candidate whose file was changed', bad, bad.refusals, BAD);
  if (bad.candidates > 0) process.exitCode = 1;
} finally {
  await scene.remove();
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withBucket } from '../../registry/bucket.ts';
import { sha256 } from '../../registry/release.ts';
import { BINS, type CountedAnswer } from '../../src/counted-answer.ts';
import { modelKey } from '../../src/model/layout.ts';
import { readAccount } from '../../watch/analytics.ts';
import { toPage } from '../../watch/page.ts';
import { toText } from '../../watch/report.ts';
import { type Observed, observeAnalytics, observeLog, watch } from '../../watch/watch.ts';
import { testManifest } from '../manifest.ts';
import { type Random, seeded } from '../random.ts';
import { AnalyticsStandIn, type Kept } from './stand-in.ts';

const DATASET = 'counted';
const [HOUR, DAY] = [3_600, 86_400];

/** As many photos in each twentieth as the manifest's baseline says, and as after a shift. */
const baseline = Array.from({ length: BINS }, (_, bin) => (bin === 0 ? 620 : bin === BINS - 1 ? 200 : 10));
const SHIFTED = baseline.map((photos, bin) => (bin === 12 ? photos + 300 : photos));

let project: string;
/** A version whose manifest carries the baseline, and one without: the first digits, as answers name them. */
let measured: string;
let unmeasured: string;

/** Calls `use` with the local bucket of the project. */
const withModels: typeof withBucket = (_, use) => withBucket({ persistTo: join(project, '.wrangler', 'state') }, use);

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'husky-ai-watch-'));
  const config = `name = "husky"
compatibility_date = "2026-10-23"
[vars]
MODEL_CHANNEL = "production"
[[r2_buckets]]
binding = "MODELS"
bucket_name = "husky-ai-models"
[[analytics_engine_datasets]]
binding = "ANSWERS"
dataset = "${DATASET}"
`;
  await writeFile(join(project, 'wrangler.toml'), config);
  const manifest = testManifest('measured', { bytes: 1, sha256: sha256(Buffer.of(0)) });
  const manifests = [
    JSON.stringify({ ...manifest, baseline: { photos: 1_000, scores: baseline, labels: [290, 710] } }),
    JSON.stringify({ ...manifest, name: 'unmeasured' }),
  ];
  await withModels({}, async (bucket) => {
    for (const text of manifests) await bucket.put(modelKey(sha256(Buffer.from(text)), 'manifest.json'), text);
  });
  [measured = '', unmeasured = ''] = manifests.map((text) => sha256(Buffer.from(text)).slice(0, 12));
});
afterAll(() => rm(project, { recursive: true }));

/** Random answers whose scores are spread like these counts. */
function answers(count: number, spread: readonly number[], version: string, random: Random): CountedAnswer[] {
  const bins = spread.flatMap((photos, bin) => Array<number>(photos).fill(bin));
  return Array.from({ length: count }, () => {
    const score = bins[Math.floor(random() * bins.length)] ?? 0;
    const label = score < BINS / 2 ? 'not husky' : 'husky';
    return { version, role: 'stable', code: 'ok', label, format: 'jpeg', megapixels: '1-4', score };
  });
}

const failures = (count: number, version: string, code: CountedAnswer['code']): CountedAnswer[] =>
  Array.from({ length: count }, () => ({
    version,
    role: 'stable',
    code,
    label: '',
    format: '',
    megapixels: '',
    score: -1,
  }));

const aged = (all: readonly CountedAnswer[], age: number, interval = 1): Kept[] =>
  all.map((answer) => ({ answer, age, interval }));

/** The reports on several datasets, with the queries that they took. */
async function watchAll(...datasets: readonly { kept: readonly Kept[]; hours?: number; threshold?: number }[]) {
  const observed: Observed[] = [];
  const queries: string[] = [];
  for (const { kept, hours = 24 } of datasets) {
    const standIn = new AnalyticsStandIn(DATASET, kept);
    const { recent, earlier, period } = await observeAnalytics(readAccount(await standIn.start()), DATASET, hours);
    // The stand-in is gone when the report asks for them.
    const before = new Map([[unmeasured, await earlier(unmeasured)]]);
    const none = { source: '', counts: [] };
    observed.push({ recent, period, earlier: async (version) => before.get(version) ?? none });
    queries.push(...standIn.queries);
    standIn.stop();
  }
  const reports = await withModels({}, async (bucket) => {
    const made = [];
    for (const [index, each] of observed.entries()) made.push(await watch(bucket, each, datasets[index]?.threshold));
    return made;
  });
  return { reports, texts: reports.map(toText), queries };
}

/** Runs the command in the project. */
async function run(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const command = [resolve('watch/watch.ts'), ...args];
  const { exitCode, stdout, stderr } = await execa(process.execPath, command, { cwd: project, env, reject: false });
  return { exitCode, stdout, stderr };
}

test('answers like the validation photos raise no alarm, a shift does', async () => {
  const shifted = aged(answers(600, SHIFTED, measured, seeded(2)), HOUR);
  const { reports, texts } = await watchAll(
    { kept: aged(answers(600, baseline, measured, seeded(1)), HOUR) },
    { kept: shifted },
    { kept: shifted, threshold: 2 },
  );
  expect(reports.map(({ alarms }) => alarms.length)).toEqual([0, 1, 0]);
  const [same = '', other = ''] = texts;
  expect(same).toContain(`${measured}  stable  600 answers\n`);
  expect(same).toContain('baseline   not husky 71.0 %, husky 29.0 %');
  expect(same).toMatch(/index 0\.0\d\d \(limit 0\.200\): stable\n\nnothing to report$/);
  expect(other).toMatch(
    new RegExp(`ALARM: ${measured} has scores that moved away from those of validation photos: .* shifted$`),
  );
});

test('only the last hours count', async () => {
  const old = aged(answers(600, SHIFTED, measured, seeded(3)), 3 * DAY);
  const kept = [...old, ...aged(answers(300, baseline, measured, seeded(4)), HOUR)];
  const { reports } = await watchAll({ kept }, { kept, hours: 100 });
  expect(reports.map(({ versions }) => versions[0]?.answers)).toEqual([300, 900]);
  expect(reports.map(({ alarms }) => alarms.length)).toEqual([0, 1]);
});

test('fewer than 200 scores are too few to judge, and sampled answers are judged by what was kept', async () => {
  const few = answers(150, SHIFTED, measured, seeded(5));
  const { reports, texts } = await watchAll(
    { kept: aged(few, HOUR) },
    { kept: aged(few, HOUR, 40) },
    { kept: aged(answers(250, baseline, measured, seeded(6)), HOUR, 40) },
  );
  expect(reports.flatMap(({ alarms }) => alarms)).toEqual([]);
  expect(texts[0]).toContain('too few to judge');
  expect(texts[1]).toContain('6,000 answers (estimated from 150)');
  expect(texts[1]).toContain('too few to judge');
  expect(texts[2]).toMatch(/10,000 answers \(estimated from 250\)[\s\S]*\(limit 0\.2\d\d\): stable/);
});

test('failures are counted by code; many of the service’s own are an alarm, those of clients are not', async () => {
  const good = [...answers(400, baseline, measured, seeded(7)), ...failures(80, measured, 'malformed_image')];
  const { reports, texts } = await watchAll(
    { kept: aged(good, HOUR) },
    { kept: aged([...good, ...failures(20, measured, 'internal')], HOUR) },
    { kept: aged([...good, ...failures(300, '', 'model_unavailable')], HOUR) },
  );
  expect(texts[0]).toContain('failures   malformed_image 16.7 %');
  expect(reports.map(({ alarms }) => alarms)).toEqual([
    [],
    [expect.stringContaining(`${measured} fails 4.0 % of the answers`)],
    [expect.stringContaining('no model fails 100.0 % of the answers')],
  ]);
});

test('without a baseline, a version is compared with the first week of the stable one', async () => {
  const history = [
    ...aged(answers(500, baseline, unmeasured, seeded(8)), 30 * DAY),
    ...aged(answers(500, SHIFTED, unmeasured, seeded(9)), 10 * DAY),
  ];
  const now = (spread: readonly number[], seed: number) => aged(answers(400, spread, unmeasured, seeded(seed)), HOUR);
  const { texts, reports } = await watchAll(
    { kept: [...history, ...now(baseline, 10)] },
    { kept: [...history, ...now(SHIFTED, 11)] },
    { kept: now(SHIFTED, 11) },
  );
  expect(texts[0]).toContain('|  the first week of the stable version');
  expect(texts[2]).toContain('nothing to compare with');
  expect(reports.map(({ alarms }) => alarms.length)).toEqual([0, 1, 0]);
});

test('a candidate is compared with the stable version', async () => {
  const stable = answers(800, baseline, measured, seeded(12));
  const candidate = (spread: readonly number[], seed: number) =>
    answers(300, spread, unmeasured, seeded(seed)).map((each) => ({ ...each, role: 'candidate' as const }));
  const { reports, texts } = await watchAll(
    { kept: aged([...stable, ...candidate(baseline, 13)], HOUR) },
    { kept: aged([...stable, ...candidate(SHIFTED, 14)], HOUR) },
  );
  expect(texts[0]).toMatch(new RegExp(`candidate ${unmeasured} against ${measured}:\n .* stable\n`));
  expect(reports.map(({ alarms }) => alarms)).toEqual([
    [],
    [expect.stringContaining(`candidate ${unmeasured} has other scores than ${measured}`)],
  ]);
  const [report] = reports;
  if (!report) throw new Error('no report');
  expect((await toPage(report)).match(/<svg/g)).toHaveLength(3);
});

test('the page needs no other file, and escapes labels', async () => {
  const marked = answers(300, SHIFTED, measured, seeded(15)).map((each) => ({ ...each, label: '<b>husky</b>' }));
  const [report] = (await watchAll({ kept: aged(marked, HOUR) })).reports;
  if (!report) throw new Error('no report');
  const html = await toPage(report);
  expect(html).toContain('class="alarm"');
  expect(html).toContain('&lt;b&gt;husky');
  expect(html).not.toContain('<b>');
  expect(html.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|<script|<link|url\(/);
});

test('the queries are those in docs/operations.md', async () => {
  const { queries } = await watchAll({ kept: aged(answers(10, baseline, unmeasured, seeded(16)), HOUR) });
  const document = (await readFile('docs/operations.md', 'utf8'))
    .replaceAll('husky_ai_answers', DATASET)
    .replace(/(?<=blob1 = ')[0-9a-f]{12}(?=')/, unmeasured);
  for (const query of queries.slice(0, 2)) expect(document).toContain(query);
  expect(queries).toHaveLength(3);
});

test('a log is read in place of Analytics Engine', async () => {
  const [before, after] = [
    answers(400, baseline, unmeasured, seeded(17)),
    answers(400, SHIFTED, unmeasured, seeded(18)),
  ];
  const log = [...before, ...after].map((answer) => JSON.stringify({ answer })).join('\n');
  const [whole, second] = await withModels({}, async (bucket) => [
    await watch(bucket, observeLog(log, 1_000)),
    await watch(bucket, observeLog(log, 400)),
  ]);
  expect(whole).toMatchObject({ period: 'The last 800 of 800 answers in the log', alarms: [] });
  expect(second).toMatchObject({
    period: 'The last 400 of 800 answers in the log',
    alarms: [
      expect.stringContaining('has scores that moved away from those of the earlier answers of the stable version'),
    ],
  });
});

test('on the command line, an alarm is the exit status 1', async () => {
  const standIn = new AnalyticsStandIn(DATASET, aged(answers(600, SHIFTED, measured, seeded(19)), HOUR));
  const page = join(project, 'report.html');
  try {
    const { exitCode, stdout, stderr } = await run(await standIn.start(), '--html', page);
    expect(stderr).toBe('');
    expect(stdout).toContain(`ALARM: ${measured}`);
    expect(exitCode).toBe(1);
    expect(await readFile(page, 'utf8')).toContain('<svg');
  } finally {
    standIn.stop();
  }
});

test.each([
  [{}, ['--dataset', 'x; DROP'], 'not the name of a dataset'],
  [{ CLOUDFLARE_API_TOKEN: 'wrong' }, [], 'Analytics Engine answers 403: Authentication error'],
  [{ CLOUDFLARE_API_TOKEN: '' }, [], 'set CLOUDFLARE_ACCOUNT_ID'],
])('with %j and %j, one line says what is wrong', async (change, args, message) => {
  const standIn = new AnalyticsStandIn(DATASET, []);
  const { exitCode, stderr } = await run({ ...(await standIn.start()), ...change }, ...args);
  standIn.stop();
  expect(exitCode).toBe(1);
  expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(message)]);
});

/**
 * `npm run model:watch -- [--remote [--env NAME]] [--hours N] [--html FILE] [--threshold X] [--dataset NAME]`
 * `npm run model:watch -- --log FILE [--last N] [--persist-to DIR] …`
 *
 * Shows for each version what its answers were, from Workers Analytics Engine or from a log, and how far its scores have
 * moved from those on validation photos. Exits with status 1 if there is an alarm.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { R2Bucket } from '@cloudflare/workers-types';
import * as z from 'zod';
import { withBucket } from '../registry/bucket.ts';
import { BUCKET_OPTIONS, readBucketArguments, runCommand } from '../registry/command.ts';
import { readEnvironment } from '../registry/environment.ts';
import { sha256 } from '../registry/release.ts';
import { listVersions } from '../registry/versions.ts';
import { BINS } from '../src/counted-answer.ts';
import { modelKey } from '../src/model/layout.ts';
import { type Account, fetchFirstWeek, fetchRecent, readAccount } from './analytics.ts';
import { type Count, summarise } from './counts.ts';
import { readLog, toCounts } from './log.ts';
import { type Baseline, createReport, formatCount, type Report, toText } from './report.ts';
import { THRESHOLD } from './stability.ts';

/** The answers to report on. */
export interface Observed {
  readonly period: string;
  readonly recent: readonly Count[];
  /** The earlier answers of a version: its baseline if its manifest has none. */
  readonly earlier: (version: string) => Promise<{ readonly source: string; readonly counts: readonly Count[] }>;
}

const HOURS = 24;

export function observeLog(text: string, last: number): Observed {
  const counts = toCounts([...readLog(text)]);
  const recent = counts.slice(-last);
  const before = counts.slice(0, counts.length - recent.length);
  return {
    period: `The last ${formatCount(recent.length)} of ${formatCount(counts.length)} answers in the log`,
    recent,
    earlier: async (version) => ({
      source: 'the earlier answers of the stable version',
      counts: before.filter((each) => each.version === version),
    }),
  };
}

export async function observeAnalytics(account: Account, dataset: string, hours: number): Promise<Observed> {
  return {
    period: `The last ${hours} hours of ${dataset}`,
    recent: await fetchRecent(account, dataset, hours),
    earlier: async (version) => ({
      source: 'the first week of the stable version',
      counts: await fetchFirstWeek(account, dataset, version, hours),
    }),
  };
}

/** The part of a manifest that this command reads; the Worker ignores the baseline. */
const Manifest = z.object({
  labels: z.array(z.string()),
  baseline: z
    .object({
      photos: z.number().int().positive(),
      scores: z.array(z.number().int().min(0)).length(BINS),
      labels: z.array(z.number().int().min(0)),
    })
    .optional(),
});

/** The baseline that the manifest of a version carries, given its first digits; undefined if there is none. */
async function readBaseline(bucket: R2Bucket, digits: string): Promise<Baseline | undefined> {
  const version = (await listVersions(bucket)).find((each) => digits !== '' && each.startsWith(digits));
  const object = version === undefined ? null : await bucket.get(modelKey(version, 'manifest.json'));
  if (!object) return undefined;
  const bytes = new Uint8Array(await object.arrayBuffer());
  if (sha256(bytes) !== version) throw new Error(`the manifest of ${digits} in the bucket is another one`);
  const { labels, baseline } = Manifest.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return (
    baseline && {
      source: 'validation photos',
      scores: { bins: baseline.scores, points: baseline.photos },
      labels: labels
        .map((name, index) => ({ name, answers: baseline.labels[index] ?? 0 }))
        .sort((a, b) => b.answers - a.answers),
    }
  );
}

/** Reports on the answers, compared with the baselines of their versions or the earlier answers of the stable one. */
export async function watch(bucket: R2Bucket, observed: Observed, threshold = THRESHOLD): Promise<Report> {
  const { recent, earlier, period } = observed;
  const versions = summarise(recent).filter(({ version }) => version !== '');
  const stable = versions.find(({ role }) => role === 'stable');
  const baselines = new Map<string, Baseline>();
  for (const { version } of versions) {
    const baseline = (await readBaseline(bucket, version)) ?? (stable && (await fromAnswers(stable.version, earlier)));
    if (baseline) baselines.set(version, baseline);
  }
  return createReport(recent, { period, baselineOf: (version) => baselines.get(version), threshold });
}

async function fromAnswers(version: string, earlier: Observed['earlier']): Promise<Baseline | undefined> {
  const { source, counts } = await earlier(version);
  const [summary] = summarise(counts);
  return summary && { source, scores: summary.scores, labels: summary.labels };
}

/** The dataset that wrangler.toml binds to ANSWERS. */
function findDataset(env: string | undefined): string {
  const bound = readEnvironment(env).analytics_engine_datasets.find(({ binding }) => binding === 'ANSWERS');
  if (!bound) throw new Error('wrangler.toml binds no Analytics Engine dataset to ANSWERS: pass --dataset NAME');
  return bound.dataset ?? bound.binding;
}

const Dataset = z.string().regex(/^\w+$/, 'not the name of a dataset');
const positive = (name: string) => z.coerce.number(`--${name} takes a number`).positive(`--${name} must be above 0`);

async function main(): Promise<void> {
  const parsed = parseArgs({
    allowPositionals: true,
    options: {
      ...BUCKET_OPTIONS,
      log: { type: 'string' },
      last: { type: 'string' },
      hours: { type: 'string' },
      dataset: { type: 'string' },
      threshold: { type: 'string' },
      html: { type: 'string' },
    },
  });
  const { target } = readBucketArguments(parsed);
  const { log, last, hours, dataset, threshold, html } = parsed.values;
  const observed =
    log === undefined
      ? await observeAnalytics(
          readAccount(process.env),
          Dataset.parse(dataset ?? findDataset(target.env)),
          positive('hours')
            .int()
            .parse(hours ?? HOURS),
        )
      : observeLog(await readFile(log, 'utf8'), positive('last').parse(last ?? Number.MAX_SAFE_INTEGER));
  const limit = positive('threshold').parse(threshold ?? THRESHOLD);
  const report = await withBucket(target, (bucket) => watch(bucket, observed, limit));
  console.log(toText(report));
  if (html !== undefined) {
    const { toPage } = await import('./page.ts');
    await writeFile(html, await toPage(report));
  }
  if (report.alarms.length > 0) process.exitCode = 1;
}

if (import.meta.main) runCommand(main);

import { PROBLEM_CODES, PROBLEMS } from '../src/api/problems.ts';
import { type Count, type Histogram, type Share, type Summary, summarise } from './counts.ts';
import { compare, FEWEST, type Stability } from './stability.ts';

/** What a version's scores are compared with. */
export interface Baseline {
  /** In words. */
  readonly source: string;
  readonly scores: Histogram;
  /** Photos or answers by label. */
  readonly labels: readonly Share[];
}

export interface VersionReport extends Summary {
  readonly baseline: Baseline | undefined;
  /** The scores against the baseline. */
  readonly stability: Stability | undefined;
}

export interface Report {
  /** Which answers it is about. */
  readonly period: string;
  readonly versions: readonly VersionReport[];
  /** The candidate's scores against those of the stable version in the same period. */
  readonly canary:
    | { readonly candidate: VersionReport; readonly stable: VersionReport; readonly stability: Stability }
    | undefined;
  /** What needs attention; empty if nothing does. */
  readonly alarms: readonly string[];
}

export interface ReportOptions {
  readonly period: string;
  /** The baseline of a version; undefined if there is none. */
  readonly baselineOf: (version: string) => Baseline | undefined;
  readonly threshold: number;
}

/** The share of answers that may fail through the service's own fault. */
const MOST_FAILURES = 0.01;

export function createReport(counts: readonly Count[], { period, baselineOf, threshold }: ReportOptions): Report {
  const versions = summarise(counts).map((summary): VersionReport => {
    const baseline = baselineOf(summary.version);
    const stability = baseline && compare(summary.scores, baseline.scores, threshold);
    return { ...summary, baseline, stability };
  });
  const [candidate, stable] = ['candidate', 'stable'].map((role) =>
    versions.find((each) => each.role === role && each.version !== ''),
  );
  const canary = candidate &&
    stable && { candidate, stable, stability: compare(candidate.scores, stable.scores, threshold) };
  const alarms = versions.flatMap((version) => [...alarmsOf(version)]);
  if (canary?.stability.verdict === 'shifted') {
    alarms.push(
      `candidate ${candidate?.version} has other scores than ${stable?.version}: ${describeStability(canary.stability)}`,
    );
  }
  return { period, versions, canary, alarms };
}

function* alarmsOf({ version, points, answers, failures, baseline, stability }: VersionReport): Generator<string> {
  if (baseline && stability?.verdict === 'shifted') {
    yield `${version} has scores that moved away from those of ${baseline.source}: ${describeStability(stability)}`;
  }
  const ownFault = failures.filter(({ name }) => isOwnFault(name)).reduce((sum, each) => sum + each.answers, 0);
  if (points >= FEWEST && ownFault > MOST_FAILURES * answers) {
    yield `${version || 'no model'} fails ${formatShare(ownFault, answers)} of the answers through the service's own fault`;
  }
}

function isOwnFault(name: string): boolean {
  const code = PROBLEM_CODES.find((each) => each === name);
  return code !== undefined && PROBLEMS[code].status >= 500;
}

/** The index and what it means. */
export const describeStability = ({ index, limit, verdict }: Stability): string =>
  `population stability index ${index.toFixed(3)} (limit ${limit.toFixed(3)}): ${verdict}`;

/** The report as lines of text. */
export function toText({ period, versions, canary, alarms }: Report): string {
  const lines = [period];
  for (const version of versions) lines.push('', ...linesOf(version));
  if (canary)
    lines.push(
      '',
      `candidate ${canary.candidate.version} against ${canary.stable.version}:`,
      `  ${describeStability(canary.stability)}`,
    );
  lines.push('', ...(alarms.length > 0 ? alarms.map((alarm) => `ALARM: ${alarm}`) : ['nothing to report']));
  return lines.join('\n');
}

function* linesOf({ version, role, answers, points, failures, labels, scores, baseline, stability }: VersionReport) {
  const sampled = Math.round(answers) === points ? '' : ` (estimated from ${formatCount(points)})`;
  yield `${version || 'no model'}  ${role}  ${formatCount(answers)} answers${sampled}`;
  if (failures.length > 0) yield `  failures   ${listShares(failures, answers)}`;
  if (labels.length > 0) yield `  labels     ${listShares(labels)}`;
  if (baseline) yield `  baseline   ${listShares(baseline.labels)}`;
  yield `  scores     |${sparkline(scores)}|`;
  if (baseline) yield `  baseline   |${sparkline(baseline.scores)}|  ${baseline.source}`;
  yield `  ${stability ? describeStability(stability) : 'nothing to compare with'}`;
}

/** Labels or codes after these are summed up. */
const MOST_SHARES = 6;

/** @param total what the percentages are of; default: the sum */
function listShares(all: readonly Share[], total = sumShares(all)): string {
  const shown = all.slice(0, MOST_SHARES).map(({ name, answers }) => `${name} ${formatShare(answers, total)}`);
  const others = all.slice(MOST_SHARES);
  return [
    ...shown,
    ...(others.length > 0 ? [`${others.length} more ${formatShare(sumShares(others), total)}`] : []),
  ].join(', ');
}

const sumShares = (all: readonly Share[]) => all.reduce((sum, { answers }) => sum + answers, 0);

export const formatShare = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`;

export const formatCount = (answers: number): string => Math.round(answers).toLocaleString('en');

const LEVELS = ' ▁▂▃▄▅▆▇█';

function sparkline({ bins }: Histogram): string {
  const highest = Math.max(...bins, 1);
  return bins.map((each) => LEVELS[Math.ceil((each / highest) * (LEVELS.length - 1))]).join('');
}

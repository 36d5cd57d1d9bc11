import { BINS, type CountedAnswer } from '../src/counted-answer.ts';

/** How many answers of a version had the same outcome. */
export interface Count extends Pick<CountedAnswer, 'version' | 'role' | 'code' | 'label' | 'score'> {
  /** The answers that were given: with sampling, an estimate. */
  readonly answers: number;
  /** The data points that were kept. */
  readonly points: number;
}

/** How scores, or validation photos, are spread over the twentieths. */
export interface Histogram {
  /** `BINS` numbers, weighted by the sampling. */
  readonly bins: readonly number[];
  /** What they rest on: the number of data points or photos. */
  readonly points: number;
}

/** All counts of a version. */
export interface Summary {
  readonly version: string;
  readonly role: CountedAnswer['role'];
  readonly answers: number;
  readonly points: number;
  /** Answers by failure code, the most frequent first. */
  readonly failures: readonly Share[];
  /** Answers by label, the most frequent first. */
  readonly labels: readonly Share[];
  readonly scores: Histogram;
}

export interface Share {
  readonly name: string;
  readonly answers: number;
}

/** Sums up each version's counts; the version with the most answers comes first. */
export function summarise(counts: readonly Count[]): readonly Summary[] {
  const byVersion = Map.groupBy(counts, ({ version }) => version);
  return Array.from(byVersion, ([version, own]) => summariseVersion(version, own)).sort(
    (a, b) => b.answers - a.answers,
  );
}

function summariseVersion(version: string, counts: readonly Count[]): Summary {
  const [good, failed] = [counts.filter(({ code }) => code === 'ok'), counts.filter(({ code }) => code !== 'ok')];
  const bins = Array.from({ length: BINS }, (_, bin) => sumOf(good.filter(({ score }) => score === bin)));
  const [role] = shares(counts, ({ role }) => role);
  return {
    version,
    role: role?.name === 'candidate' ? 'candidate' : 'stable',
    answers: sumOf(counts),
    points: pointsOf(counts),
    failures: shares(failed, ({ code }) => code),
    labels: shares(good, ({ label }) => label),
    scores: { bins, points: pointsOf(good) },
  };
}

function shares(counts: readonly Count[], nameOf: (count: Count) => string): readonly Share[] {
  return Array.from(Map.groupBy(counts, nameOf), ([name, own]) => ({ name, answers: sumOf(own) })).sort(
    (a, b) => b.answers - a.answers,
  );
}

const sumOf = (counts: readonly Count[]) => counts.reduce((sum, { answers }) => sum + answers, 0);
const pointsOf = (counts: readonly Count[]) => counts.reduce((sum, { points }) => sum + points, 0);

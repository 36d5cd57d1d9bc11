import type * as z from 'zod';
import type { Chart } from '../chart.ts';

/** What a reader gets to see of a section's results. */
export interface Report {
  /** Markdown: what is printed, and what stands in docs/benchmarks.md. */
  readonly tables: readonly string[];
  /** What other pages may quote, by name: `cold.ratio` is the figure `ratio` of the section `cold`. */
  readonly figures: Readonly<Record<string, string>>;
  readonly charts: Readonly<Record<string, Omit<Chart, 'footer'>>>;
  /** Charts of other kinds: each draws itself as SVG, given what was measured on. */
  readonly drawings?: Readonly<Record<string, (footer: string) => string>>;
}

/**
 * Makes the report of a section from its results file and from nothing else, so that a test can hold the pages and
 * the charts against the file.
 */
export interface Reporter<Data> {
  readonly schema: z.ZodType<Data>;
  report(data: Data): Report;
}

/** The data that a reporter reads, and that its section has to measure. */
export type DataOf<R> = R extends Reporter<infer Data> ? Data : never;

/** @returns the reporter as it is, its type of data taken from its schema */
export function reporter<Data>(schema: z.ZodType<Data>, report: (data: Data) => Report): Reporter<Data> {
  return { schema, report };
}

/** How a goal stands. */
export const verdict = (isMet: boolean): string => (isMet ? 'met' : 'missed');

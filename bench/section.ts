import type * as z from 'zod';
import type { Chart } from './chart.ts';
import type { Album } from './pictures.ts';
import type { Progress } from './progress.ts';

/** What every section measures with. */
export interface Options {
  readonly album: Album;
  readonly progress: Progress;
  /** How often to repeat each measurement; undefined: the section's own default. */
  readonly runs: number | undefined;
}

/** How a result is shown. It derives from the result alone, so a test can compare the documents with the results file. */
export interface Report {
  /** Markdown: printed, and inserted into docs/benchmarks.md. */
  readonly tables: readonly string[];
  /** Values that documents quote: `cold.isolate-ms` is the figure `isolate-ms` of the section `cold`. */
  readonly figures?: Readonly<Record<string, string>>;
  /** By file name, without `.svg`. */
  readonly charts?: Readonly<Record<string, Chart>>;
}

export interface Section {
  readonly name: string;
  measure(options: Options): Promise<object>;
  /** @throws {z.ZodError} the result does not match the section's schema */
  report(result: unknown): Report;
}

/** A benchmark section: what it measures, the schema of its result, and how the result is shown. */
export function defineSection<Result extends object>(section: {
  readonly name: string;
  readonly schema: z.ZodType<Result>;
  measure(options: Options): Promise<Result>;
  report(result: Result): Report;
}): Section {
  const { name, schema, measure, report } = section;
  return { name, measure, report: (result) => report(schema.parse(result)) };
}

/** The status of a goal. */
export const verdict = (isMet: boolean): string => (isMet ? 'met' : 'missed');

/** `JPEG 12 MP` as part of a figure's name: `jpeg-12-mp`. */
export const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');

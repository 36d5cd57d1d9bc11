import { cold } from './cold.ts';
import { cost } from './cost.ts';
import { memory } from './memory.ts';
import { models } from './models.ts';
import type { Report, Reporter } from './report.ts';
import { scales } from './scales.ts';
import { size } from './size.ts';
import { speed } from './speed.ts';
import { stages } from './stages.ts';

/** Makes the report of what a results file holds. @throws {z.ZodError} it holds something else */
type Reader = (results: unknown) => Report;

/** The sections by name: `<name>.json` in bench/results is of the reader's making. */
export const REPORTS = {
  speed: reader(speed),
  stages: reader(stages),
  cold: reader(cold),
  memory: reader(memory),
  scales: reader(scales),
  models: reader(models),
  size: reader(size),
  cost: reader(cost),
} satisfies Readonly<Record<string, Reader>>;

export type SectionName = keyof typeof REPORTS;
export const SECTION_NAMES = Object.keys(REPORTS) as SectionName[];

function reader<Data>({ schema, report }: Reporter<Data>): Reader {
  return (results) => report(schema.parse(results));
}

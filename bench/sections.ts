import type { Section } from './section.ts';
import { cold } from './sections/cold.ts';
import { cost } from './sections/cost.ts';
import { memory } from './sections/memory.ts';
import { models } from './sections/models.ts';
import { size } from './sections/size.ts';
import { speed } from './sections/speed.ts';
import { stages } from './sections/stages.ts';

/** In the order in which they run: what other work on the machine disturbs most comes first. */
export const SECTIONS: readonly Section[] = [speed, stages, cost, cold, memory, models, size];

import type { Album } from './pictures.ts';
import type { Progress } from './progress.ts';

/** What every section is given to measure with. */
export interface Options {
  readonly album: Album;
  readonly progress: Progress;
  /** How often each measurement is repeated; undefined: as often as the section thinks right. */
  readonly runs: number | undefined;
}

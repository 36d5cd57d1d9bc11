import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPython } from './processes.ts';

/** Calls `use` with a folder that contains the committed model as release 0.1 stored it: in one file. */
export async function withOldForm<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-old-form-'));
  try {
    await runPython(['-m', 'bench.old_form', '--out', folder]);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

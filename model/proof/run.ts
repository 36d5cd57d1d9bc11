/**
 * `npm run model:proof -- --data FOLDER` shows that EfficientNet-Lite in Keras returns what the PyTorch original returns,
 * on 24 photos of FOLDER/validation. The original has its own virtual environment, `.venv.proof`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { preparePython, pythonEnvironment } from '../../scripts/python.ts';

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { data: { type: 'string' } } });
  if (!values.data) throw new Error('--data names the folder with the photos');
  const keras = await preparePython();
  const original = await preparePython({ folder: '.venv.proof', group: 'proof' });
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-proof-'));
  const options = { env: pythonEnvironment(), stdio: 'inherit', reject: false } as const;
  try {
    const written = await execa(keras, ['-m', 'model.proof.keras_side', values.data, folder], options);
    if (written.failed) return written.exitCode ?? 1;
    return (await execa(original, ['-m', 'model.proof.original', folder], options)).exitCode ?? 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

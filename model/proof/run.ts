/**
 * `npm run model:proof -- --data FOLDER`: shows that the EfficientNet-Lite in Keras answers as the PyTorch original
 * does, on 24 photos of FOLDER/validation. The original gets a virtual environment of its own, `.venv.proof`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { preparePython, pythonEnvironment } from '../../scripts/python.ts';

const HERE = import.meta.dirname;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { data: { type: 'string' } } });
  if (!values.data) throw new Error('--data names the folder with the photos');
  const keras = await preparePython();
  const original = await preparePython({
    name: '.venv.proof',
    requirements: join(HERE, 'requirements.txt'),
  });
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-proof-'));
  try {
    const code = await python(keras, [join(HERE, 'keras_side.py'), values.data, folder]);
    return code === 0 ? await python(original, [join(HERE, 'original.py'), folder]) : code;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a script to its end and returns its exit code. */
function python(path: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: pythonEnvironment(), stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

/**
 * `npm run model:try -- [FOLDER] [--inputs FILE --outputs FILE]`
 *
 * Runs the version in a folder in the Worker's own build of ONNX Runtime, with all probes, and prints as JSON what it
 * takes in an isolate. Scores the inputs in FILE: raw little-endian float32, NHWC; writes the scores in the same form.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { channelCount } from '../src/model/manifest.ts';
import { runCommand } from './command.ts';
import { readSettings } from './environment.ts';
import { RELEASE_FOLDER, readRelease } from './release.ts';
import { tryVersion } from './trial.ts';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { inputs: { type: 'string' }, outputs: { type: 'string' } },
  });
  const release = await readRelease(positionals[0] ?? RELEASE_FOLDER);
  const { input } = release.manifest;
  const length = input.width * input.height * channelCount(input);
  const inputs = values.inputs === undefined ? [] : split(await readFile(values.inputs), length);
  const { outputs, ...taken } = await tryVersion(release, readSettings(), inputs);
  if (values.outputs !== undefined) await writeFile(values.outputs, Buffer.concat(outputs.map(bytesOf)));
  console.log(JSON.stringify(taken));
}

function* split(file: Buffer<ArrayBuffer>, length: number): Generator<Float32Array> {
  const bytes = new Uint8Array(file).buffer;
  for (let at = 0; at < bytes.byteLength; at += length * 4) yield new Float32Array(bytes, at, length);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

if (import.meta.main) runCommand(main);

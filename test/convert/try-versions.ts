/** Runs each of the versions that standard input lists as JSON ({folder, inputs}), and prints the scores of its inputs. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { readSettings } from '../../registry/environment.ts';
import { readRelease } from '../../registry/release.ts';
import { tryVersion } from '../../registry/trial.ts';

const given: { folder: string; inputs: string }[] = JSON.parse(await text(process.stdin));
const scores: number[][] = [];
for (const { folder, inputs } of given) {
  const release = await readRelease(folder);
  const { width, height, color } = release.manifest.input;
  const length = width * height * (color === 'L' ? 1 : 3);
  const { buffer, byteOffset, byteLength } = await readFile(inputs);
  const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const photos = [];
  for (let at = 0; at < values.length; at += length) photos.push(values.slice(at, at + length));
  const { outputs } = await tryVersion(release, readSettings(), photos);
  scores.push(outputs.flatMap((output) => [...output]));
}
console.log(JSON.stringify(scores));

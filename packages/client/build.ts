/**
 * `npm pack ./packages/client` builds the client as a package without dependencies: the modules of static/client/ with
 * declarations, and the types of the API's answers, which derive from its schemas.
 */
import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { compile } from 'json-schema-to-typescript';
import * as z from 'zod';
import { schemas } from '../../src/api/schemas.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCE = join(ROOT, 'static', 'client');
const TARGET = join(import.meta.dirname, 'dist');

/** The types of the answers, as a declaration file. */
async function declareAnswers(): Promise<string> {
  const { Prediction, Problem, BatchEntry, ModelInfo, Health } = schemas;
  const answers = z.object({ Prediction, Problem, BatchEntry, ModelInfo, Health });
  const schema = z.toJSONSchema(answers, { target: 'draft-7', io: 'output' });
  const bannerComment = '/** What the API answers. */';
  return compile(JSON.parse(JSON.stringify(schema)), 'Answers', { bannerComment, ignoreMinAndMaxItems: true });
}

await rm(TARGET, { recursive: true, force: true });
await mkdir(TARGET);
for (const name of await readdir(SOURCE)) {
  const code = await readFile(join(SOURCE, name), 'utf8');
  await writeFile(join(TARGET, name), code.replaceAll('../../src/api/schemas.ts', './schemas.js'));
}
await writeFile(join(TARGET, 'schemas.d.ts'), await declareAnswers());
await copyFile(join(ROOT, 'LICENSE'), join(import.meta.dirname, 'LICENSE'));
const options = [
  '--ignoreConfig',
  '--allowJs',
  '--declaration',
  '--emitDeclarationOnly',
  '--strict',
  '--skipLibCheck',
  '--types',
  '',
];
const language = ['--target', 'es2022', '--module', 'nodenext', '--lib', 'es2024,dom'];
await execa('tsc', [...options, ...language, '--outDir', TARGET, join(TARGET, 'client.js')], {
  cwd: import.meta.dirname,
  localDir: ROOT,
  preferLocal: true,
});
await appendFile(join(TARGET, 'client.d.ts'), "export type * from './schemas.js';\n");

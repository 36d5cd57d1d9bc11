import { cp, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { launchChromium } from '../../scripts/chromium.ts';
import { preparePython } from '../../scripts/python.ts';
import { freePort } from '../../scripts/wrangler-dev.ts';
import { schemas } from '../../src/api/schemas.ts';
import { type Block, parseBlocks, parseCommands } from '../docs/markdown.ts';
import { visit } from './page-visit.ts';
import { runIn, type Started, startIn } from './shell.ts';

/*
 * Follows docs/tutorial.md in a copy of the project, which has a Teachable Machine export and a photo: runs the `sh` code line
 * by line and expects the output shown below it, in which … stands for anything. Opens each address of the service that a
 * paragraph names, chooses the pictures that the paragraph names or clicks the drawing, and expects the bold text on the page.
 */

const TUTORIAL = 'docs/tutorial.md';
const ADDRESS = /http:\/\/localhost:8790(\/[\w/]+)?/;
/** Linked into the copy of the project instead of copied: packages for Node and Python. */
const SHARED = /^(node_modules|\.venv.*)$/;
/** Left out of the copy: history, local state, caches and results. */
const LEFT_OUT = /^(\.git|\.wrangler|\.keys|\.cache|\.ruff_cache|results)$/;
/** How long the service may take to serve the new model, in milliseconds. */
const PATIENCE = 30_000;
/** The timeout of a command, in milliseconds. Training takes minutes on a busy machine. */
const LONGEST = 600_000;

const document = await readFile(TUTORIAL, 'utf8');
const blocks = parseBlocks(document);

let project: string;
let browser: Browser;
let port: number;
let service: Started | undefined;
/** The output of each command. */
const printed = new Map<string, string>();

beforeAll(async () => {
  await preparePython();
  project = await realpath(await mkdtemp(join(tmpdir(), 'husky-ai-tutorial-')));
  const isCopied = (path: string) => !SHARED.test(basename(path)) && !LEFT_OUT.test(basename(path));
  await cp('.', project, { recursive: true, filter: isCopied });
  for (const name of await readdir('.')) if (SHARED.test(name)) await symlink(resolve(name), join(project, name));
  await exportTeachable();
  port = await freePort();
  browser = await launchChromium();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await service?.stop();
  await rm(project, { recursive: true, force: true, maxRetries: 5 });
});

/** Draws converted_keras.zip, as Teachable Machine exports it for the page's drawings, and photo.jpg, the last of them. */
async function exportTeachable(): Promise<void> {
  const drawings = ['Cat', 'House', 'Husky'];
  for (const name of drawings) {
    const drawing = sharp(`static/samples/${name.toLowerCase()}.svg`);
    await drawing.png().toFile(join(project, `${name}.png`));
    if (name === drawings.at(-1)) await drawing.jpeg().toFile(join(project, 'photo.jpg'));
  }
  const pictures = drawings.map((name) => `${name}.png`).join(' ');
  await runIn(project, `npm run python -- test/convert/teachable.py converted_keras.zip ${pictures}`);
}

/** Replaces the port of the tutorial by a free one. */
const withFreePort = (text: string) => text.replaceAll(':8790', `:${port}`).replaceAll('--port 8790', `--port ${port}`);

/** Whether the output contains each line of the block, or, apart from white space, its JSON. */
function isShown(output: string, { text, language }: Block): boolean {
  const bare = (json: string) => json.replaceAll(/\s/g, '');
  if (language === 'json') return matches(bare(output), bare(text));
  const lines = withFreePort(text).split('\n');
  return lines.every((line) => output.split('\n').some((each) => matches(each, line)));
}

/** Whether the text matches the pattern, in which … stands for anything. */
function matches(text: string, pattern: string): boolean {
  let from = 0;
  return pattern.split('…').every((piece) => {
    const at = text.indexOf(piece, from);
    from = at + piece.length;
    return at >= 0;
  });
}

async function follow(command: string, isDone: (output: string) => boolean): Promise<string> {
  if (command.startsWith('npm start')) {
    await service?.stop();
    service = startIn(project, withFreePort(command));
    return service.until(isDone);
  }
  // The service needs a moment to follow a new model.
  const deadline = Date.now() + (command.startsWith('curl') ? PATIENCE : 0);
  for (;;) {
    const output = await runIn(project, withFreePort(command));
    if (isDone(output) || Date.now() >= deadline) return output;
    await setTimeout(500);
  }
}

async function expectPage(url: string, paragraph: string): Promise<void> {
  const promised = Array.from(paragraph.matchAll(/\*\*(.+?)\*\*/g), ([, text = '']) => text);
  const pictures = Array.from(paragraph.matchAll(/`(\S+\.png)`/g), ([, path = '']) => join(project, path));
  const [, drawing] = /click the drawing \*\*(\w+)\*\*/.exec(paragraph) ?? [];
  const { page, complaints, close } = await visit(browser, url);
  try {
    if (drawing) {
      await page.getByRole('button', { name: drawing, exact: true }).click();
      await page.locator('.headline', { hasText: drawing }).waitFor();
    }
    if (pictures.length > 0) await page.locator('#file').setInputFiles(pictures);
    for (const text of promised.filter((each) => each !== drawing)) {
      await page.getByText(text, { exact: true }).filter({ visible: true }).waitFor({ timeout: 5_000 });
    }
    expect(promised.length).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  } finally {
    await close();
  }
}

test('the copy is a project', async () => {
  expect((await runIn(project, 'npm prefix')).trim().split('\n').at(-1)).toBe(project);
});

for (const [index, block] of blocks.entries()) {
  const { language, text, line } = block;
  if (language === 'sh') {
    const next = blocks[index + 1];
    const shown = next?.kind === 'fence' && next.language !== 'sh' ? next : undefined;
    const commands = parseCommands(text);
    test(
      `line ${line}: ${commands[0]}`,
      async () => {
        let output = '';
        for (const command of commands) {
          const isLast = command === commands.at(-1);
          output = await follow(command, (soFar) => !isLast || !shown || isShown(soFar, shown));
          printed.set(command, output);
        }
        if (shown && !isShown(output, shown)) expect(output).toBe(shown.text);
      },
      LONGEST,
    );
  }
  const [address, path] = ADDRESS.exec(block.kind === 'text' ? text : '') ?? [];
  if (address !== undefined) {
    test(`line ${line}: ${address}`, async () => {
      const url = `http://127.0.0.1:${port}${path ?? '/'}`;
      await vi.waitFor(() => expectPage(url, text), { timeout: PATIENCE });
    });
  }
}

test('the tutorial shows the program that it runs', async () => {
  const shown = blocks.filter(({ language }) => language === 'python').map(({ text }) => `${text}\n`);
  expect(shown).toEqual([await readFile('docs/tutorial/shapes.py', 'utf8')]);
});

test('each shape gets the right label, and the scores add up to 1', () => {
  const answers = [...printed].filter(([command]) => command.startsWith('curl') && command.includes('shapes/'));
  const predictions = answers.flatMap(([, output]) =>
    z.union([schemas.Prediction, z.array(schemas.Prediction)]).parse(JSON.parse(/^[[{].*$/m.exec(output)?.[0] ?? '')),
  );
  expect(predictions.map(({ label }) => label)).toEqual(['circle', 'square', 'triangle']);
  for (const { label, score, scores = [], threshold } of predictions) {
    expect(scores.map((each) => each.label).toSorted()).toEqual(['circle', 'square', 'triangle']);
    expect(scores[0]).toEqual({ label, score });
    expect(scores.reduce((sum, each) => sum + each.score, 0)).toBeCloseTo(1, 5);
    expect(threshold).toBe(null);
  }
});

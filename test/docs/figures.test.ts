import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Page, proseOf, quotedFigures, readPages, regionOf } from '../../bench/pages.ts';
import { SECTION_NAMES } from '../../bench/reports/index.ts';
import { modelFigures } from '../../bench/reports/model.ts';
import { namedFigures, PAGE, RESULTS, readResults } from '../../bench/results.ts';
import { NOT_MEASURED } from './not-measured.ts';

/** A number that looks measured: with a unit, as a share, as so many times, as a sum of money, as a fraction, as an AUC. */
const NUMBER = String.raw`(?<![\w.])\d[\d.,]*`;
const UNIT = String.raw`(?:ms|s|seconds?|minutes?|hours?|times|µs|[kKMG]i?B|(?:photos|requests)/s)\b`;
const FIGURE = new RegExp(
  String.raw`\$\d[\d.,]*|\bAUC\D{0,20}\d+|${NUMBER}\s?(?:%|${UNIT})|${NUMBER}x\b|(?<![\w.])0\.\d{2,}`,
  'g',
);

let pages: readonly Page[];

beforeAll(async () => {
  pages = await readPages();
});

const allResults = () =>
  Promise.all(SECTION_NAMES.map(async (name) => ({ name, ...(await readResults(name)) })));

describe('what the pages say of measurements is what was measured', () => {
  test.each(SECTION_NAMES)('the tables of the section %s', async (name) => {
    const page = pages.find(({ path }) => path === PAGE);
    const { report } = await readResults(name);
    expect(regionOf(page?.text ?? '', name)).toBe(report.tables.join('\n\n'));
  });

  test.each(SECTION_NAMES)('the charts of the section %s', async (name) => {
    for (const [chart, svg] of (await readResults(name)).drawings) {
      expect(await readFile(join(RESULTS, `${chart}.svg`), 'utf8'), chart).toBe(svg);
    }
  });

  test('no results and no chart are left over from a section that is no more', async () => {
    const made = (await allResults()).flatMap(({ name, drawings }) => [
      `${name}.json`,
      ...[...drawings.keys()].map((chart) => `${chart}.svg`),
    ]);
    expect((await readdir(RESULTS)).toSorted()).toEqual(made.toSorted());
  });

  test('the figures that a page quotes', async () => {
    const known = new Map([
      ...(await allResults()).flatMap(({ name, report }) => namedFigures(name, report.figures)),
      ...namedFigures('model', await modelFigures()),
    ]);
    for (const { path, text } of pages) {
      for (const { name, quoted } of quotedFigures(text)) {
        expect(quoted, `${path}: ${name}`).toBe(known.get(name));
      }
    }
  });

  test('no other figure stands in the prose, unless it is a limit, an aim or somebody else’s', () => {
    const found = pages.flatMap(({ path, text }) => {
      const allowed = NOT_MEASURED[path] ?? [];
      const prose = allowed.reduce((rest, phrase) => rest.replaceAll(phrase, ''), flowing(text));
      return (prose.match(FIGURE) ?? []).map((figure) => `${path}: ${figure}`);
    });
    expect(found).toEqual([]);
  });

  test.each([
    'it takes 12.5 ms',
    'three photos in 2 seconds',
    'at most 107.4 MB',
    '85 % of them',
    '1.9 times native',
    '4.8x as fast',
    '$0.71 a million',
    'an AUC of 0.98',
    'within 0.012 of it',
  ])('a search that would find: %s', (sentence) => {
    expect(proseOf(sentence).match(FIGURE)).toHaveLength(1);
  });

  test('every phrase that is let pass stands on its page', () => {
    for (const [path, phrases] of Object.entries(NOT_MEASURED)) {
      const prose = flowing(pages.find((page) => page.path === path)?.text ?? '');
      for (const phrase of phrases) expect(prose, path).toContain(phrase);
    }
  });
});

/** Prose with its lines joined, so that a phrase is found wherever it is broken. */
const flowing = (text: string): string => proseOf(text).replace(/\s+/g, ' ');

/**
 * `npm run docs:config`: writes the table of settings in docs/operations.md anew, from the schema in src/config.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { Settings, settingInfo } from '../src/config.ts';

export const OPERATIONS = 'docs/operations.md';

const START = '<!-- settings: written by npm run docs:config -->';
const END = '<!-- /settings -->';

/** The settings as a Markdown table: a row each, in the order of the schema. */
export function settingsTable(): string {
  const rows = Object.entries(Settings.shape).map(([name, schema]) => {
    const info = settingInfo.get(schema);
    if (!info) throw new Error(`${name} in src/config.ts has no description`);
    return `| \`${name}\` | ${shown(schema.parse(undefined))} | ${info.unit ?? ''} | ${info.about} |`;
  });
  return ['| setting | default | unit | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/**
 * The document with the table in its place.
 *
 * @throws {Error} it has no such place
 */
export function withTable(document: string, table: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start < 0 || end < start) throw new Error(`no '${START}' … '${END}' in the document`);
  return `${document.slice(0, start + START.length)}\n\n${table}\n\n${document.slice(end)}`;
}

/** A default as wrangler.toml would have it, numbers in groups of three digits. */
function shown(value: string | number | readonly string[]): string {
  if (typeof value === 'number') return value.toLocaleString('en').replaceAll(',', '_');
  return value.length === 0 ? 'empty' : `\`${String(value)}\``;
}

if (import.meta.main) {
  const document = await readFile(OPERATIONS, 'utf8');
  await writeFile(OPERATIONS, withTable(document, settingsTable()));
  console.log(`${OPERATIONS}: ${Object.keys(Settings.shape).length} settings`);
}

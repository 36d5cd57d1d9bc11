/**
 * `npm run docs:config`: generates the table of settings in docs/operations.md from the schema in src/config.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { Settings, settingInfo } from '../src/config.ts';

export const OPERATIONS = 'docs/operations.md';

const START = '<!-- settings: written by npm run docs:config -->';
const END = '<!-- /settings -->';

/** Renders the settings as a Markdown table, in the order of the schema. */
export function settingsTable(): string {
  const rows = Object.entries(Settings.shape).map(([name, schema]) => {
    const info = settingInfo.get(schema);
    if (!info) throw new Error(`${name} in src/config.ts has no description`);
    return `| \`${name}\` | ${format(schema.parse(undefined))} | ${info.unit ?? ''} | ${info.about} |`;
  });
  return ['| setting | default | unit | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/**
 * Replaces the table in a document.
 *
 * @throws {Error} the document has no place for it
 */
export function withTable(document: string, table: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start < 0 || end < start) throw new Error(`no '${START}' … '${END}' in the document`);
  return `${document.slice(0, start + START.length)}\n\n${table}\n\n${document.slice(end)}`;
}

/** Formats a default as in wrangler.toml, with digits grouped. */
function format(value: string | number | readonly string[]): string {
  if (typeof value === 'number') return value.toLocaleString('en').replaceAll(',', '_');
  return value.length === 0 ? 'empty' : `\`${String(value)}\``;
}

if (import.meta.main) {
  const document = await readFile(OPERATIONS, 'utf8');
  await writeFile(OPERATIONS, withTable(document, settingsTable()));
  console.log(`${OPERATIONS}: ${Object.keys(Settings.shape).length} settings`);
}

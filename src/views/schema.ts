import { html } from 'hono/html';
import { type Markup, words } from './layout.ts';
import { isRecord } from './operations.ts';

/** A table of the fields of a JSON schema and of its nested objects. */
export function schemaTable(schema: unknown): Markup {
  if (!isRecord(schema)) return html``;
  const about = typeof schema.description === 'string' ? html`<p>${words(schema.description)}</p>` : '';
  const rows = listRows(schema, '');
  if (rows.length === 0) return html`${about}<p>${describeType(schema)}</p>`;
  return html`${about}<dl class="fields">${rows.map(
    ({ name, type, required, description }) => html`<div>
      <dt><code>${name}</code> <span class="hint">${type}${required ? '' : ', optional'}</span></dt>
      <dd>${words(description)}</dd>
    </div>`,
  )}</dl>`;
}

interface Row {
  readonly name: string;
  readonly type: Markup;
  readonly required: boolean;
  readonly description: string;
}

function listRows(schema: Readonly<Record<string, unknown>>, prefix: string): readonly Row[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(isRecord(schema.properties) ? schema.properties : {}).flatMap(([key, value]) => {
    if (!isRecord(value)) return [];
    const name = `${prefix}${key}`;
    const description = typeof value.description === 'string' ? value.description : '';
    const row = { name, type: describeType(value), required: required.includes(key), description };
    const inner = Array.isArray(value.anyOf) ? value.anyOf.find(isRecord) : value;
    return [row, ...(isRecord(inner) ? listRows(inner, `${name}.`) : [])];
  });
}

/** Describes the type of a value, with links to other schemas. */
function describeType(schema: Readonly<Record<string, unknown>>): Markup {
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  for (const choices of [schema.anyOf, schema.oneOf, schema.allOf]) {
    if (!Array.isArray(choices)) continue;
    const types = choices.filter(isRecord).map(describeType);
    return html`${types.map((type, index) => html`${index ? ' or ' : ''}${type}`)}`;
  }
  if (Array.isArray(schema.enum)) return html`${schema.enum.map((each) => `“${each}”`).join(' or ')}`;
  if (schema.const !== undefined) return html`“${String(schema.const)}”`;
  if (schema.type === 'array' && isRecord(schema.items)) return html`list of ${describeType(schema.items)}`;
  return html`${Array.isArray(schema.type) ? schema.type.join(' or ') : String(schema.type ?? 'any')}`;
}

import { html } from 'hono/html';
import { type Markup, words } from './layout.ts';
import { isRecord, type JsonObject } from './operations.ts';

/** A table of the fields of a JSON schema and of its nested objects. */
export function schemaTable(schema: unknown): Markup {
  if (!isRecord(schema)) return html``;
  const about = typeof schema.description === 'string' ? html`<p>${words(schema.description)}</p>` : '';
  const rows = renderFields(schema, '');
  return html`${about}${rows.length === 0 ? html`<p>${describeType(schema)}</p>` : html`<dl class="fields">${rows}</dl>`}`;
}

function renderFields(schema: JsonObject, prefix: string): readonly Markup[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(isRecord(schema.properties) ? schema.properties : {}).flatMap(([key, value]) => {
    if (!isRecord(value)) return [];
    const name = `${prefix}${key}`;
    const type = html`${describeType(value)}${required.includes(key) ? '' : ', optional'}`;
    const description = typeof value.description === 'string' ? value.description : '';
    const row = html`<div>
      <dt><code>${name}</code> <span class="hint">${type}</span></dt>
      <dd>${words(description)}</dd>
    </div>`;
    const inner = Array.isArray(value.anyOf) ? value.anyOf.find(isRecord) : value;
    return [row, ...(isRecord(inner) ? renderFields(inner, `${name}.`) : [])];
  });
}

/** Describes the type of a value, with links to other schemas. */
function describeType(schema: JsonObject): Markup {
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

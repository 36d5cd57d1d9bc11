import type { ApiDocument } from '../api/document.ts';
import type { CodeSample } from '../api/examples.ts';

/** An operation of the API document, as the page shows it. */
export type Operation = ReturnType<typeof toOperation>;

/** Lists the operations of the document, in its order. */
export function listOperations({ paths = {}, components }: ApiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => isRecord(operation))
      .map(([method, operation]) => toOperation(method, path, record(operation), record(components?.schemas))),
  );
}

function toOperation(method: string, path: string, operation: JsonObject, schemas: JsonObject) {
  const responses = Object.entries(record(operation.responses)).map(([status, value]) => {
    const { description, headers } = record(value);
    return { status, about: text(description), headers: Object.keys(record(headers)) };
  });
  const json = record(record(record(record(operation.responses)['200']).content)['application/json']);
  return {
    id: text(operation.operationId),
    method: method.toUpperCase(),
    path,
    summary: text(operation.summary),
    description: text(operation.description),
    needsToken: operation.security !== undefined,
    parameters: array(operation.parameters).map((value) => {
      const { name, description, schema } = record(value);
      return { name: text(name), values: array(record(schema).enum).join(' or '), about: text(description) };
    }),
    mediaTypes: Object.keys(record(record(operation.requestBody).content)),
    samples: array(operation['x-codeSamples']).filter(isSample),
    responses,
    example: findExample(record(json.schema), schemas),
  };
}

/** The example of a schema, of its reference, or of its first alternative. */
function findExample(schema: JsonObject, schemas: JsonObject): unknown {
  const reference = text(schema.$ref).split('/').at(-1);
  if (reference) return findExample(record(schemas[reference]), schemas);
  if (schema.example !== undefined) return schema.example;
  const [first] = array(schema.examples);
  const [choice] = array(schema.anyOf);
  return first ?? (choice === undefined ? undefined : findExample(record(choice), schemas));
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const record = (value: unknown): JsonObject => (isRecord(value) ? value : {});
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function isSample(value: unknown): value is CodeSample {
  return isRecord(value) && typeof value.label === 'string' && typeof value.source === 'string';
}

import type { ApiDocument } from '../api/document.ts';
import type { CodeSample } from '../api/examples.ts';

/** An operation of the API document, as the page shows it. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Whether it needs a bearer token. */
  readonly token: boolean;
  readonly parameters: readonly { readonly name: string; readonly values: string; readonly about: string }[];
  /** Media types of the request's body. */
  readonly bodies: readonly string[];
  readonly samples: readonly CodeSample[];
  readonly responses: readonly {
    readonly status: string;
    readonly about: string;
    readonly headers: readonly string[];
  }[];
  /** An example answer, if the schema has one. */
  readonly example: unknown;
}

/** Lists the operations of the document, in its order. */
export function listOperations({ paths = {}, components }: ApiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => isRecord(operation))
      .map(([method, operation]) =>
        toOperation(method, path, record(operation), record(components?.schemas)),
      ),
  );
}

function toOperation(
  method: string,
  path: string,
  operation: Readonly<Record<string, unknown>>,
  schemas: Readonly<Record<string, unknown>>,
): Operation {
  const responses = Object.entries(record(operation.responses)).map(([status, value]) => {
    const response = record(value);
    return { status, about: text(response.description), headers: Object.keys(record(response.headers)) };
  });
  const json = record(record(record(record(operation.responses)['200']).content)['application/json']);
  const samples = operation['x-codeSamples'];
  return {
    id: text(operation.operationId),
    method: method.toUpperCase(),
    path,
    summary: text(operation.summary),
    description: text(operation.description),
    token: operation.security !== undefined,
    parameters: array(operation.parameters).map((value) => {
      const { name, description, schema } = record(value);
      return { name: text(name), values: array(record(schema).enum).join(' or '), about: text(description) };
    }),
    bodies: Object.keys(record(record(operation.requestBody).content)),
    samples: array(samples).filter(isSample),
    responses,
    example: findExample(record(json.schema), schemas),
  };
}

/** The example of a schema, of its reference, or of its first alternative. */
function findExample(
  schema: Readonly<Record<string, unknown>>,
  schemas: Readonly<Record<string, unknown>>,
): unknown {
  const reference = text(schema.$ref).split('/').at(-1);
  if (reference) return findExample(record(schemas[reference]), schemas);
  if (schema.example !== undefined) return schema.example;
  const [first] = array(schema.examples);
  const [choice] = array(schema.anyOf);
  return first ?? (choice === undefined ? undefined : findExample(record(choice), schemas));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const record = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function isSample(value: unknown): value is CodeSample {
  return isRecord(value) && typeof value.label === 'string' && typeof value.source === 'string';
}

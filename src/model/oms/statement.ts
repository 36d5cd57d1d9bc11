import * as z from 'zod';
import { Sha256 } from '../digest.ts';
import { PREDICATE_TYPE, STATEMENT_TYPE } from './format.ts';
import { InvalidSignature } from './invalid-signature.ts';
import { parseJson } from './json.ts';

/** The signed statement about a model. */
export interface Statement {
  /** The digest over all resources, 64 hex digits. */
  readonly rootDigest: string;
  /** In the order of the root digest. */
  readonly resources: readonly Resource[];
}

export interface Resource {
  /** The file's path in the model's folder. */
  readonly name: string;
  /** SHA-256 of the file, 64 hex digits. */
  readonly digest: string;
}

const Typed = z.looseObject({ _type: z.string(), predicateType: z.string() });

const Serialized = z.looseObject({
  predicate: z.looseObject({
    serialization: z.looseObject({ method: z.string(), hash_type: z.string() }),
    resources: z.array(z.looseObject({ algorithm: z.string() })),
  }),
});

/** As strict and as loose as the format's own JSON Schema. */
const InTotoStatement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.looseObject({ name: z.string().min(1), digest: z.looseObject({ sha256: Sha256 }) })]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.strictObject({
    serialization: z.strictObject({
      method: z.literal('files'),
      hash_type: z.literal('sha256'),
      // How the signer walked its folder: irrelevant, since the files are listed here.
      allow_symlinks: z.boolean(),
      ignore_paths: z.array(z.string().min(1)).optional(),
    }),
    resources: z
      .array(z.looseObject({ name: z.string().min(1), algorithm: z.literal('sha256'), digest: Sha256 }))
      .min(1),
  }),
});

/**
 * Parses the payload of a verified signature.
 *
 * @throws {InvalidSignature} with a reason from `malformed_statement` to `serialization`
 */
export function parseStatement(payload: Uint8Array): Statement {
  const json = parseJson(payload, 'malformed_statement', 'The payload is not JSON.');

  // From the outside in: each type determines the shape of what it contains.
  const typed = wellFormed(Typed, json);
  if (typed._type !== STATEMENT_TYPE) {
    throw new InvalidSignature('statement_type', 'The payload is not an in-toto statement of version 1.');
  }
  if (typed.predicateType !== PREDICATE_TYPE) {
    throw new InvalidSignature('predicate_type', 'The payload is not a model signature of version 1.0.');
  }
  const { serialization, resources } = wellFormed(Serialized, json).predicate;
  if (serialization.method !== 'files') {
    throw new InvalidSignature('serialization', 'The signature is not over whole files.');
  }
  const hashes = [serialization.hash_type, ...resources.map(({ algorithm }) => algorithm)];
  if (hashes.some((hash) => hash !== 'sha256')) {
    throw new InvalidSignature('serialization', 'The files are not hashed with SHA-256.');
  }
  const { subject, predicate } = wellFormed(InTotoStatement, json);
  return { rootDigest: subject[0].digest.sha256, resources: predicate.resources };
}

function wellFormed<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InvalidSignature('malformed_statement', 'The payload is not a well-formed statement.', {
    cause: parsed.error,
  });
}

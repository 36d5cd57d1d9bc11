import * as z from 'zod';
import { InvalidBody, InvalidParameter } from '../../errors.ts';

/** Returns a function that creates a value on its first call: most isolates never need these schemas. */
export function once<T>(create: () => T): () => T {
  let created: { readonly value: T } | undefined;
  return () => {
    created ??= { value: create() };
    return created.value;
  };
}

/** A photo in the JSON that clients send. */
export const base64Photo = once(() =>
  z.string().min(1).meta({
    format: 'byte',
    contentEncoding: 'base64',
    description: 'The photo in base64 (either alphabet), or as a `data:` URL with base64. URLs are not fetched.',
  }),
);

/** The number that replaces a photo once it has been read. */
export const photoNumber = once(() => z.number().int().min(0));

/** A parameter that limits the labels of an answer. */
export const topK = once(() =>
  z.number().int().min(1).meta({
    description: 'How many of the most probable labels to return, at most the number of the model’s labels.',
    example: 1,
  }),
);

/**
 * The value, parsed.
 *
 * @throws {InvalidParameter} a parameter of the request is not valid
 * @throws {InvalidBody} anything else is not valid
 */
export function parseBody<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // Paths contain names of the schema and indexes only, nothing that the client chose.
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  if (path.startsWith('parameters.')) throw new InvalidParameter(`The parameter '${path}' is not valid.`);
  throw new InvalidBody(path === '' ? 'The body is not in the form of this protocol.' : `'${path}' is not valid.`);
}

/**
 * Checks that these are all photos of the body, in its order.
 *
 * @throws {InvalidBody} a key occurs twice, or something else is in the place of a photo
 */
export function checkPhotos(numbers: readonly unknown[], photos: number): void {
  if (numbers.length !== photos || numbers.some((number, index) => number !== index)) {
    throw new InvalidBody('A photo is missing, or a key occurs twice.');
  }
}

/**
 * Checks how many labels a client wants.
 *
 * @throws {InvalidParameter} the model has fewer
 */
export function checkTopK(count: number | undefined, labels: number): void {
  if (count !== undefined && count > labels) {
    throw new InvalidParameter(`'top_k' must be an integer from 1 to ${labels}, the number of labels.`);
  }
}

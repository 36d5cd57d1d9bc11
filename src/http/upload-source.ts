import { UnsupportedMediaType } from '../errors.ts';
import type { Place } from '../predict/body.ts';
import type { UploadSource } from '../predict/upload.ts';

/**
 * The request's body as an upload to read, with the client's place.
 *
 * @throws {UnsupportedMediaType} the body is compressed
 */
export function toUploadSource({ body, headers }: Request, place?: Place): UploadSource {
  const coding = headers.get('Content-Encoding') ?? 'identity';
  if (coding.toLowerCase() !== 'identity') throw new UnsupportedMediaType('Send the body without Content-Encoding.');
  const length = headers.get('Content-Length');
  return {
    stream: body,
    declaredLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    place,
    contentType: headers.get('Content-Type') ?? 'application/octet-stream',
  };
}

/** Whether the request declares its body as JSON. */
export function isJson({ headers }: Request): boolean {
  return /^ *application\/json *(;|$)/i.test(headers.get('Content-Type') ?? '');
}

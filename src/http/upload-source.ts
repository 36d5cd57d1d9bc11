import type { Place } from '../predict/body.ts';
import type { UploadSource } from '../predict/upload.ts';

/** The request's body as an upload to read, with the client's place. */
export function toUploadSource({ body, headers }: Request, place?: Place): UploadSource {
  const length = headers.get('Content-Length');
  return {
    stream: body,
    declaredLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    place,
    contentType: headers.get('Content-Type') ?? 'application/octet-stream',
  };
}

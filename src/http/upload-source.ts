import type { UploadSource } from '../predict/upload.ts';

/** The request's body as an upload to read. */
export function toUploadSource({ body, headers }: Request): UploadSource {
  const length = headers.get('Content-Length');
  return {
    stream: body,
    declaredLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    contentType: headers.get('Content-Type') ?? 'application/octet-stream',
  };
}

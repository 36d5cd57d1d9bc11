import { EmptyBody, UnsupportedMediaType } from '../errors.ts';
import { sniffFormat } from '../image/format.ts';
import type { ImageFormat, Photo } from '../image/photo.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { readBody, type UploadLimits } from './body.ts';
import { multipartField } from './multipart.ts';

const FIELD = 'file';

export interface UploadedPhoto {
  readonly photo: Photo;
  /** The place in memory that the photo's bytes take: release it when they are no longer needed. */
  readonly lease: Lease;
}

/**
 * The photo that a request carries, as its raw body or as the multipart field `file`.
 *
 * @param formats what is accepted here, told by the file's own bytes
 * @throws {UnsupportedMediaType} the request's type or the file's format is not accepted
 * @throws {EmptyBody} there is no photo in it
 * @throws {BodyTooLarge | RequestTimeout | Overloaded} as `readBody`
 */
export async function readPhoto(
  request: Request,
  memory: PhotoMemory,
  limits: UploadLimits,
  formats: readonly ImageFormat[],
): Promise<UploadedPhoto> {
  const contentType = request.headers.get('Content-Type') ?? 'application/octet-stream';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const multipart = mediaType === 'multipart/form-data';
  if (!multipart && !mediaType.startsWith('image/') && mediaType !== 'application/octet-stream') {
    throw new UnsupportedMediaType(
      `Send the photo as the request body with an image type, or as the multipart field '${FIELD}'.`,
    );
  }
  const { bytes: body, lease } = await readBody(request, memory, limits);
  try {
    const bytes = multipart ? multipartField(body, contentType, FIELD) : body;
    if (bytes.byteLength === 0) throw new EmptyBody('The photo has no bytes.');
    const format = sniffFormat(bytes);
    if (!format || !formats.includes(format)) {
      throw new UnsupportedMediaType(
        `Accepted are ${formats.map((name) => name.toUpperCase()).join(', ')} files.`,
      );
    }
    return { photo: { format, bytes }, lease };
  } catch (error) {
    lease.release();
    throw error;
  }
}

import { EmptyBody, TooManyPhotos, UnsupportedMediaType } from '../errors.ts';
import { type Codec, findCodec } from '../image/codec.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { readBody, type UploadLimits } from './body.ts';
import { multipartFields } from './multipart.ts';

const FIELD = 'file';

export interface Upload {
  /** The files' bytes, in order; at least one. */
  readonly files: readonly [Uint8Array, ...Uint8Array[]];
  /** The place in memory that all of them take. */
  readonly lease: Lease;
  /** Gives up the files' bytes and their place: to be called when they are no longer needed. */
  release(): void;
}

/**
 * The files that a request carries, as its raw body or as the multipart fields `file`.
 *
 * @param most how many there may be; `first`: the first is taken, and what follows it is not read
 * @throws {UnsupportedMediaType} the request's type is not accepted
 * @throws {EmptyBody} there is no file in it
 * @throws {TooManyPhotos} there are more than `most`
 * @throws {BodyTooLarge | RequestTimeout | Overloaded} as `readBody`
 */
export async function readUpload(
  request: Request,
  memory: PhotoMemory,
  limits: UploadLimits,
  most: number | 'first',
): Promise<Upload> {
  const contentType = request.headers.get('Content-Type') ?? 'application/octet-stream';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const multipart = mediaType === 'multipart/form-data';
  if (!multipart && !mediaType.startsWith('image/') && mediaType !== 'application/octet-stream') {
    throw new UnsupportedMediaType(
      `Send the photo as the request body with an image type, or as the multipart field '${FIELD}'.`,
    );
  }
  const { bytes: body, lease, release } = await readBody(request, memory, limits);
  try {
    if (!multipart) return { files: [body], lease, release };
    const [first, ...others] = filesOf(body, contentType, most);
    if (!first) throw new EmptyBody(`The multipart body has no field '${FIELD}'.`);
    return { files: [first, ...others], lease, release };
  } catch (error) {
    release();
    throw error;
  }
}

function filesOf(body: Uint8Array, contentType: string, most: number | 'first'): readonly Uint8Array[] {
  const files: Uint8Array[] = [];
  for (const file of multipartFields(body, contentType, FIELD, most === 'first' ? 1 : most)) {
    if (files.length === most) throw new TooManyPhotos(`At most ${most} photos a request are accepted.`);
    files.push(file);
    if (most === 'first') break;
  }
  return files;
}

/**
 * The codec of a file.
 *
 * @param accepted the codecs to choose from
 * @throws {EmptyBody} the file has no bytes
 * @throws {UnsupportedMediaType} its format is not accepted
 */
export function codecOf(bytes: Uint8Array, accepted: readonly Codec[]): Codec {
  if (bytes.byteLength === 0) throw new EmptyBody('The photo has no bytes.');
  const codec = findCodec(accepted, bytes);
  if (!codec) {
    throw new UnsupportedMediaType(`Accepted are ${accepted.map(({ name }) => name).join(', ')} files.`);
  }
  return codec;
}

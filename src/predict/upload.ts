import type { Config } from '../config.ts';
import { EmptyBody, TooManyPhotos, UnsupportedMediaType } from '../errors.ts';
import type { Lease, PhotoMemory } from '../memory.ts';
import { type BodySource, readBody, type UploadLimits } from './body.ts';
import { multipartFields, parseBoundary } from './multipart.ts';

const FIELD = 'file';

/** Types that say nothing of a body. `curl --data-binary` sends the second with any file. */
const OPAQUE_TYPES = new Set(['application/octet-stream', 'application/x-www-form-urlencoded']);

/** A body with its declared media type, parameters included. */
export interface UploadSource extends BodySource {
  readonly contentType: string;
}

export type UploadSetting =
  | 'UPLOAD_TIMEOUT'
  | 'UPLOAD_IDLE_TIMEOUT'
  | 'UPLOAD_GRACE'
  | 'MIN_UPLOAD_RATE'
  | 'MEMORY_WAIT';

/** The limits of an upload of at most `maxBytes`. */
export function createUploadLimits(config: Pick<Config, UploadSetting>, maxBytes: number): UploadLimits {
  return {
    maxBytes,
    timeout: config.UPLOAD_TIMEOUT,
    idleTimeout: config.UPLOAD_IDLE_TIMEOUT,
    grace: config.UPLOAD_GRACE,
    minRate: config.MIN_UPLOAD_RATE,
    patience: config.MEMORY_WAIT,
  };
}

export interface Upload {
  /** The bytes of the files, in order; at least one. */
  readonly files: readonly [Uint8Array, ...Uint8Array[]];
  /** The memory that all of them take. */
  readonly lease: Lease;
  /** Frees the bytes and ends the lease. Call it when the files are no longer needed. */
  release(): void;
}

/**
 * Reads the files of an upload in the form that an endpoint takes.
 *
 * @param most the most files; `first` takes the first and ignores the rest
 * @throws {Failure} there is no such upload
 */
export type ReadUpload = (
  source: UploadSource,
  memory: PhotoMemory,
  limits: UploadLimits,
  most: number | 'first',
) => Promise<Upload>;

/**
 * Reads the files of an upload: the raw body, or the multipart fields named `file`.
 *
 * @param most the most files; `first` takes the first and ignores the rest
 * @throws {UnsupportedMediaType} the media type is not accepted
 * @throws {EmptyBody} there is no file
 * @throws {TooManyPhotos} there are more than `most`
 * @throws {BodyTooLarge | RequestTimeout | Overloaded} as `readBody`
 */
export const readUpload: ReadUpload = async (source, memory, limits, most) => {
  const { contentType } = source;
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const boundary = mediaType === 'multipart/form-data' ? parseBoundary(contentType) : undefined;
  if (boundary === undefined && !mediaType.startsWith('image/') && !OPAQUE_TYPES.has(mediaType)) {
    throw new UnsupportedMediaType(
      `Send the photo as the request body with an image type, or as the multipart field '${FIELD}'.`,
    );
  }
  const { bytes: body, lease, release } = await readBody(source, memory, limits);
  try {
    if (boundary === undefined) return { files: [body], lease, release };
    const [first, ...others] = readFiles(body, boundary, most);
    if (!first) throw new EmptyBody(`The multipart body has no field '${FIELD}'.`);
    return { files: [first, ...others], lease, release };
  } catch (error) {
    release();
    throw error;
  }
};

function readFiles(body: Uint8Array, boundary: string, most: number | 'first'): readonly Uint8Array[] {
  const files: Uint8Array[] = [];
  for (const file of multipartFields(body, boundary, FIELD, most === 'first' ? 1 : most)) {
    if (files.length === most) throw new TooManyPhotos(`At most ${most} photos per request are accepted.`);
    files.push(file);
    if (most === 'first') break;
  }
  return files;
}

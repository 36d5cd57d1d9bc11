import { BodyTooLarge, EmptyBody } from '../errors.ts';
import { readBody } from './body.ts';
import { type JsonForm, JsonPhotos, maxJsonBytes } from './json-photos.ts';
import type { ReadUpload } from './upload.ts';

/**
 * Reads the photos of a JSON body. The limits apply to the decoded photos.
 *
 * @param onRequest receives the rest of the request before any photo is inspected; an error ends the request
 */
export function jsonUpload<Request>(form: JsonForm<Request>, onRequest: (request: Request) => void): ReadUpload {
  return async ({ declaredLength, ...source }, memory, limits, most) => {
    const { maxBytes } = limits;
    if (declaredLength !== undefined && declaredLength > maxJsonBytes(maxBytes)) {
      throw new BodyTooLarge(`At most ${maxBytes} bytes of photos are accepted.`);
    }
    const decoder = new JsonPhotos(form, { maxBytes, maxPhotos: most === 'first' ? 1 : most });
    // Four characters of base64 are three bytes.
    const decodedLength = declaredLength && Math.min(maxBytes, Math.ceil((declaredLength * 3) / 4));
    const { bytes, lease, release } = await readBody(
      { ...source, declaredLength: decodedLength, decoder },
      memory,
      limits,
    );
    try {
      const [first, ...others] = decoder.ends.map((end, index) => bytes.subarray(decoder.ends[index - 1] ?? 0, end));
      if (!first || decoder.request === undefined) throw new EmptyBody('The request has no photo.');
      onRequest(decoder.request);
      return { files: [first, ...others], lease, release };
    } catch (error) {
      release();
      throw error;
    }
  };
}

/** The kinds of files that the API takes, told by their first bytes as the API tells them. */

/** @type {Record<string, (start: string) => boolean>} */
const MAGIC = {
  jpeg: (start) => start.startsWith('\xff\xd8\xff'),
  png: (start) => start.startsWith('\x89PNG\r\n\x1a\n'),
  gif: (start) => start.startsWith('GIF87a') || start.startsWith('GIF89a'),
  webp: (start) => start.startsWith('RIFF') && start.endsWith('WEBP'),
};

/** Names of pictures that systems give no media type. */
const PICTURE = /\.(avif|bmp|gif|hei[cf]|jpe?g|jxl|png|tiff?|webp)$/i;

/**
 * The format of a file that the API takes; null for any other.
 *
 * @param {Blob} file
 * @returns {Promise<string | null>}
 * @throws {DOMException} the file cannot be read
 */
export async function formatOf(file) {
  const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  return Object.keys(MAGIC).find((format) => MAGIC[format]?.(start)) ?? null;
}

/**
 * Whether it looks like a picture from outside. Of a folder, only such files are meant.
 *
 * @param {File} file
 */
export function looksLikePicture({ name, type }) {
  return !name.startsWith('.') && (type.startsWith('image/') || PICTURE.test(name));
}

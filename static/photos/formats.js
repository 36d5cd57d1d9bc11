/**
 * Decides by the formats that the service reports. No format is named here, so that a new one in the service needs no
 * change to the page.
 *
 * @import { ModelInfo } from '../../src/api/schemas.ts'
 *
 * @typedef {ModelInfo['service']['formats']} Formats
 */

/**
 * Returns the `accept` attribute of a file input: the service's formats, and other pictures, which the browser may be
 * able to convert.
 *
 * @param {Formats} formats
 */
export function acceptFor(formats) {
  return ['image/*', ...formats.flatMap(({ mediaTypes }) => mediaTypes)].join();
}

/**
 * Whether the service might decode this file. A file of unknown type might be anything; so might any file while the
 * service's formats are unknown.
 *
 * @param {Blob} file
 * @param {Formats | undefined} formats
 */
export function mightBeSupported({ type }, formats) {
  return type === '' || formats === undefined || formats.some(({ mediaTypes }) => mediaTypes.includes(type));
}

/**
 * Whether a file in a folder is a picture, judging by its type or, if the system knows none, its name.
 *
 * @param {File} file
 * @param {Formats} [formats]
 */
export function looksLikePicture({ name, type }, formats = []) {
  if (name.startsWith('.')) return false;
  if (type.startsWith('image/')) return true;
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return formats.some(({ mediaTypes }) =>
    mediaTypes.some((each) => (type === '' ? each.endsWith(`/${extension}`) : each === type)),
  );
}

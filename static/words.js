/**
 * Every way in which a photo can fail to get its verdict, each with a plain sentence.
 *
 * @typedef {object} Explanation
 * @property {string} headline
 * @property {string} advice
 * @property {boolean} mayPass whether trying the same photo again can help
 */

/** @type {Record<string, readonly [headline: string, advice: string, mayPass: boolean]>} */
const EXPLANATIONS = {
  // The photo: another one is needed.
  empty_body: ['This file is empty', 'Choose another photo.', false],
  body_too_large: [
    'This file is too large',
    'Choose a smaller photo, or make a copy with fewer pixels.',
    false,
  ],
  image_too_large: ['This photo has too many pixels', 'Make a smaller copy of it and try that.', false],
  unsupported_media_type: ['This kind of file is not supported', 'Choose another photo.', false],
  malformed_image: ['This photo is damaged', 'The file cannot be decoded. Choose another photo.', false],
  unreadable: ['This file cannot be read', 'It was moved or changed. Choose it again.', false],
  // The service: the same photo may work later.
  rate_limited: ['That was quick', 'You have sent many photos in a short time.', true],
  overloaded: ['The husky is busy', 'Many photos came in at once.', true],
  model_unavailable: ['The model is not available', 'Your photo is fine; try again in a moment.', true],
  model_untrusted: ['The model failed its check', 'It is not what was published, so it was not run.', true],
  internal: ['Something went wrong', 'The mistake is on our side, not in your photo.', true],
  offline: ['You are offline', 'It goes on by itself once you are connected again.', true],
  unreachable: ['The service cannot be reached', 'Check your connection and try again.', true],
  request_timeout: ['The upload takes too long', 'Try again, or try a smaller photo.', true],
  timeout: ['The answer takes too long', 'The connection stalled. Try again.', true],
  unexpected: ['The answer makes no sense', 'Something between you and the service got in the way.', true],
  // The visitor.
  unauthorized: ['This service needs a token', 'Enter one above, and it goes on by itself.', true],
  // The page and the service do not fit each other.
  not_found: [
    'The service is not here',
    'This page and its service do not fit together. Reload the page.',
    true,
  ],
  method_not_allowed: ['The service refused the upload', 'Reload the page and try again.', true],
  invalid_parameter: ['The service refused the question', 'Reload the page and try again.', true],
  too_many_photos: ['Too many photos at once', 'Send fewer of them in one go.', true],
};

/**
 * @param {{ code: string, title?: string, retryAfter?: number | undefined }} problem
 * @returns {Explanation}
 */
export function explain({ code, title, retryAfter }) {
  const [headline, advice, mayPass] = EXPLANATIONS[code] ?? [title || 'Something went wrong', '', true];
  if (retryAfter === undefined) return { headline, advice, mayPass };
  return { headline, advice: `${advice} Try again in ${seconds(retryAfter)}.`.trim(), mayPass };
}

/**
 * @param {number} count
 * @returns {string} such as "a second", "7 seconds", "2 minutes"
 */
export function seconds(count) {
  if (count === 1) return 'a second';
  return count < 120 ? `${count} seconds` : `${Math.round(count / 60)} minutes`;
}

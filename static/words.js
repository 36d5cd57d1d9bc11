/**
 * All text that scripts show. To reword or translate the page, edit this module and index.html, whose own text works
 * without scripts.
 */

/** The language of this text. */
const LANGUAGE = 'en-GB';

/** What each failure is called, and what to do about it. @type {Record<string, readonly [string, string]>} */
const PROBLEMS = {
  // The photo is at fault.
  empty_body: ['This file is empty', 'Choose another photo.'],
  body_too_large: ['This file is too large', 'Choose a smaller photo, or shrink this one first.'],
  image_too_large: ['This photo has too many pixels', 'Shrink it and try again.'],
  unsupported_media_type: ['This kind of file is not supported', 'Choose another photo.'],
  malformed_image: ['This photo is damaged', 'It cannot be decoded. Choose another photo.'],
  unreadable: ['This file cannot be read', 'It was moved or changed. Choose it again.'],
  // The service or the connection is at fault.
  rate_limited: ['That was quick', 'You sent many photos in a short time.'],
  overloaded: ['The husky is busy', 'Many photos arrived at once.'],
  model_unavailable: ['The model is not available', 'Your photo is fine. Try again in a moment.'],
  model_untrusted: ['The model failed its check', 'It is not the published one, so the service did not run it.'],
  internal: ['Something went wrong', 'It is our fault, not your photo’s.'],
  offline: ['You are offline', 'Your photo will be sent once you are back online.'],
  unreachable: ['The service cannot be reached', 'Check your connection and try again.'],
  request_timeout: ['The upload took too long', 'Try again, or choose a smaller photo.'],
  timeout: ['The answer took too long', 'The connection stalled. Try again.'],
  unexpected: ['The answer makes no sense', 'Something between you and the service got in the way.'],
  unauthorized: ['This service needs a token', 'Enter one above to continue.'],
  // The page does not match the service.
  not_found: ['The service is not here', 'This page may be out of date. Reload it.'],
  method_not_allowed: ['The service refused the upload', 'This page may be out of date. Reload it.'],
  invalid_body: ['The service cannot read the upload', 'This page may be out of date. Reload it.'],
  invalid_parameter: ['The service refused the request', 'This page may be out of date. Reload it.'],
  too_many_photos: ['Too many photos at once', 'Send fewer at a time.'],
};

/** The thirds of a photo, row by row. */
const PLACES = [
  ['in the top left', 'at the top', 'in the top right'],
  ['on the left', 'in the centre', 'on the right'],
  ['in the bottom left', 'at the bottom', 'in the bottom right'],
];

export const words = {
  choosePhotos: 'Choose photos',
  addPhotos: 'Add photos',
  unnamedPhoto: 'Photo',
  notAPhoto: 'That was not a photo. Drop or paste an image file.',
  copy: 'Copy',
  copied: 'Copied',
  selected: 'Selected',

  stages: {
    waiting: 'Waiting…',
    preparing: 'Preparing…',
    sending: 'Sending…',
    looking: 'Looking…',
    paused: 'Waiting for the service…',
  },
  wakingUp: 'The model may be waking up. The first photo takes a few seconds.',
  sentAsIs: 'Your browser could not shrink this photo, so it was sent as it is, with any EXIF data.',
  noScore: 'This service gives its verdict only, not a score.',
  probability: 'probability',

  /** Of independent labels, none applies. */
  noLabel: 'None of its labels applies',
  noLabelGroup: 'no label',

  loadingHeatmap: 'Loading the heat map…',
  heatmapFailed: 'The heat map did not load. Switch it off and on to try again.',
  noHeatmap: 'There is no heat map for this photo.',

  tokenWanted: 'Ask the operator of this service for a token. This tab keeps it until you close it.',
  tokenKept: 'This tab keeps your token until you close it.',
  tokenRefused: 'The service rejected this token.',

  /** The filter of all photos, and of those that failed. */
  all: 'all',
  failed: 'failed',
  removedAll: 'Removed all photos.',

  /** @param {string} name */
  removed: (name) => `Removed ${name}.`,

  /** @param {string} name */
  remove: (name) => `Remove ${name}`,

  /** @param {string} name */
  preview: (name) => `Preview of ${name}`,

  /** @param {number} count */
  retry: (count) => `Try ${count} again`,

  /** @param {string} detail */
  serviceSays: (detail) => `The service says: ${detail}`,

  /** @param {string} question */
  title: (question) => `${question} · Husky AI`,

  /**
   * @param {string} type the media type
   * @param {readonly string[]} formats
   */
  notAccepted: (type, formats) => `Its type is ${type}. The service takes ${listOr(formats)}.`,
  /** @param {readonly string[]} formats */
  accepted: (formats) => `${listOr(formats)}, or anything else your browser can show.`,

  /** @param {number} others files in folders that are no pictures */
  skippedFiles: (others) =>
    others === 1 ? '1 file was not a picture and was skipped.' : `${others} files were not pictures and were skipped.`,

  /**
   * @param {number} beyond photos past the limit
   * @param {number} limit
   */
  skippedPhotos: (beyond, limit) =>
    `${beyond} more ${beyond === 1 ? 'was' : 'were'} skipped: the limit is ${limit} at a time.`,

  /** @param {number} left seconds */
  pause: (left) => `The service needs a moment. Continuing in ${duration(left)}.`,

  /**
   * @param {string} name
   * @param {string} headline
   * @param {string} score empty if there is none
   */
  spokenVerdict: (name, headline, score) => `${name}: ${headline}${score && `, ${score}`}`,

  /**
   * @param {string} name
   * @param {{ headline: string, advice: string }} problem
   */
  spokenProblem: (name, { headline, advice }) => `${name}: ${headline}. ${advice}`,

  /**
   * @param {number} done
   * @param {number} count
   * @param {readonly (readonly [group: string, count: number])[]} groups
   */
  tally(done, count, groups) {
    const photos = done < count ? `${done} of ${count} photos` : `${count} photos`;
    const counts = groups.map(([group, size]) => `${size} ${group}`).join(', ');
    return counts ? `${photos}: ${counts}` : photos;
  },

  /** @param {string} label */
  yes: (label) => `It is ${withArticle(label)}`,

  /** @param {string} label */
  no: (label) => `Does not look like ${withArticle(label)}`,

  /**
   * @param {readonly string[]} names at least one
   * @param {number} most the number to name
   */
  labels: (names, most) =>
    listAnd(names.length > most ? [...names.slice(0, most), `${names.length - most} more`] : names),

  /** @param {number} count */
  moreLabels: (count) => `${count.toLocaleString(LANGUAGE)} more ${count === 1 ? 'label' : 'labels'}`,

  /** @param {string} [label] of a binary model; absent for a model with more labels */
  question: (label) => (label === undefined ? 'What is in the photo?' : `Is it ${withArticle(label)}?`),

  /** @param {string} label */
  scoreOf: (label) => `${label} score`,

  /** @param {number} threshold */
  yesAbove: (threshold) => `yes above ${words.percent(threshold).replace('.0', '')}`,

  /**
   * A probability as a percentage, never rounded up to certainty or down to nothing.
   *
   * @param {number} probability
   * @param {'full' | 'rounded' | 'label'} [precision] of the service's scores
   */
  percent(probability, precision = 'full') {
    if (precision === 'rounded') return `about ${Math.round(probability * 100)}%`;
    if (probability > 0.999 && probability < 1) return '> 99.9%';
    if (probability < 0.001 && probability > 0) return '< 0.1%';
    return `${(probability * 100).toFixed(1)}%`;
  },

  /**
   * @param {object} evidence
   * @param {string} evidence.label
   * @param {number} evidence.most the largest value, 0 to 1
   * @param {number} evidence.row of the largest value: 0, 1 or 2
   * @param {number} evidence.column of the largest value: 0, 1 or 2
   * @param {number} evidence.share of the photo with at least half of it, 0 to 1
   */
  heatmap({ label, most, row, column, share }) {
    const strength = most < 0.3 ? 'weak' : most < 0.7 ? 'moderate' : 'strong';
    const percentage = Math.round(share * 100);
    return `There is ${strength} evidence for “${label}” ${PLACES[row]?.[column]}. ${percentage}% of the photo counts at least half as much.`;
  },

  /** @param {string} label */
  emptyHeatmap: (label) => `Nothing in this photo is evidence for “${label}”.`,

  /**
   * The time of the verification follows.
   *
   * @param {{ name: string, version: string, signer: string }} model
   */
  served: ({ name, version, signer }) => `Model ${name} · version ${version} · signed by key ${signer}, verified`,

  /** @param {string} url of the endpoint @param {boolean} needsToken */
  command: (url, needsToken) =>
    `curl ${needsToken ? "-H 'Authorization: Bearer YOUR-TOKEN' " : ''}-F file=@photo.jpg ${url}`,

  /**
   * @param {{ code: string, title?: string, retryAfter?: number | undefined }} problem
   * @returns {{ headline: string, advice: string }}
   */
  problem({ code, title, retryAfter }) {
    const [headline, advice] = PROBLEMS[code] ?? [title || 'Something went wrong', ''];
    const wait = retryAfter === undefined ? '' : `Try again in ${duration(retryAfter)}.`;
    return { headline, advice: `${advice} ${wait}`.trim() };
  },

  /** @param {string} text */
  capitalise: (text) => text.charAt(0).toUpperCase() + text.slice(1),
};

/** @param {readonly string[]} items */
function listAnd(items) {
  return new Intl.ListFormat(LANGUAGE, { type: 'conjunction' }).format(items);
}

/** @param {readonly string[]} items */
function listOr(items) {
  return new Intl.ListFormat(LANGUAGE, { type: 'disjunction' }).format(items);
}

/**
 * @param {number} seconds
 * @returns {string} such as "1 second", "7 seconds" or "2 minutes"
 */
function duration(seconds) {
  if (seconds === 1) return '1 second';
  return seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}

/** @param {string} noun */
function withArticle(noun) {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

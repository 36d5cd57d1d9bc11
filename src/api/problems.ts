import type { FailureCode } from '../errors.ts';

interface ProblemInfo {
  readonly status: number;
  readonly title: string;
  /** When it occurs, for the documentation. */
  readonly when: string;
}

/** How the API reports each failure of `errors.ts`. */
export const PROBLEMS = {
  empty_body: {
    status: 400,
    title: 'The request carries no photo',
    when: 'no body, no `file` field, a malformed form, or an empty file',
  },
  invalid_body: {
    status: 400,
    title: 'The request body is not valid',
    when: 'the JSON is malformed or in another form than the endpoint takes, or a photo in it is not base64',
  },
  invalid_parameter: { status: 400, title: 'A parameter is not valid', when: 'a parameter has an unsupported value' },
  unauthorized: {
    status: 401,
    title: 'A token is needed',
    when: 'the service requires a bearer token, and it is missing or wrong',
  },
  not_found: { status: 404, title: 'Not found', when: 'no such page or endpoint' },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed',
    when: 'the endpoint takes other methods: `Allow` names them',
  },
  request_timeout: {
    status: 408,
    title: 'The upload took too long',
    when: 'the upload stalled, broke off, took too long, or was too slow for the memory that it took',
  },
  body_too_large: { status: 413, title: 'The request body is too large', when: 'more bytes than the service accepts' },
  image_too_large: {
    status: 413,
    title: 'The photo has too many pixels',
    when: 'decoding it would take too much memory or time: `detail` says what would fit',
  },
  too_many_photos: {
    status: 413,
    title: 'Too many photos in one request',
    when: 'more photos than a request may have: `detail` says how many it may have',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The file format is not supported',
    when: 'the file is not in an accepted format: `detail` names them',
  },
  malformed_image: { status: 422, title: 'The photo cannot be decoded', when: 'the file is broken or cut off' },
  rate_limited: {
    status: 429,
    title: 'Too many photos in a short time',
    when: 'the address or token has sent more photos than `RateLimit-Policy` allows, or the address sends too many at once: try again after `Retry-After` seconds',
  },
  internal: { status: 500, title: 'Something went wrong', when: 'a bug in the service' },
  overloaded: {
    status: 503,
    title: 'Too many photos at once',
    when: 'the isolate has no memory left for the photo: try again after `Retry-After` seconds',
  },
  model_unavailable: {
    status: 503,
    title: 'The model is not available',
    when: 'no model is published, or the storage fails: try again after `Retry-After` seconds',
  },
  model_untrusted: {
    status: 503,
    title: 'The model failed verification',
    when: 'the published model does not match its signature or manifest, so it does not run',
  },
} as const satisfies Record<FailureCode, ProblemInfo>;

/** All codes, in the order of their statuses. */
export const PROBLEM_CODES = Object.keys(PROBLEMS).filter(isProblemCode);

function isProblemCode(code: string): code is FailureCode {
  return Object.hasOwn(PROBLEMS, code);
}

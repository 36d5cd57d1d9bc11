/**
 * The closed set of failures that the API can answer: the stable code of each, its HTTP status, its title, and
 * when it comes. `src/errors.ts` has the class of each, the documentation its description.
 */
export const PROBLEMS = {
  empty_body: {
    status: 400,
    title: 'The request carries no photo',
    when: 'no body, no field `file`, a form that cannot be read, or an empty file',
  },
  invalid_parameter: {
    status: 400,
    title: 'A parameter is not what it should be',
    when: 'a query parameter has a value that the endpoint does not take',
  },
  unauthorized: {
    status: 401,
    title: 'A token is needed',
    when: 'the service asks for a bearer token, and there was none or a wrong one',
  },
  not_found: { status: 404, title: 'There is nothing here', when: 'no such page or endpoint' },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    when: 'the endpoint takes another method: `Allow` names it',
  },
  request_timeout: {
    status: 408,
    title: 'The upload takes too long',
    when: 'the upload stood still, broke off or took too long',
  },
  body_too_large: {
    status: 413,
    title: 'The request body is too large',
    when: 'more bytes than are accepted',
  },
  image_too_large: {
    status: 413,
    title: 'The photo has too many pixels',
    when: 'decoding it would not fit an isolate’s memory: `detail` says what would',
  },
  too_many_photos: {
    status: 413,
    title: 'Too many photos in one request',
    when: 'more fields `file` than a request may have: `detail` says how many it may',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The file format is not supported',
    when: 'not a JPEG, PNG, GIF or WebP file',
  },
  malformed_image: {
    status: 422,
    title: 'The photo cannot be decoded',
    when: 'the file is broken or cut off',
  },
  rate_limited: {
    status: 429,
    title: 'Too many photos in a short time',
    when: 'this address or token has sent more than `RateLimit-Policy` allows: try again after `Retry-After` seconds',
  },
  internal: { status: 500, title: 'Something went wrong', when: 'a bug of ours' },
  overloaded: {
    status: 503,
    title: 'Too many photos at once',
    when: 'too many photos in this isolate at once: try again after `Retry-After` seconds',
  },
  model_unavailable: {
    status: 503,
    title: 'The model is not available',
    when: 'no model is published, or the storage does not answer: try again after `Retry-After` seconds',
  },
  model_untrusted: {
    status: 503,
    title: 'The model failed verification',
    when: 'what is published is not what its manifest says, so it is not run',
  },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;
export type ProblemStatus = (typeof PROBLEMS)[ProblemCode]['status'];

/** All codes, in the order of their statuses. */
export const PROBLEM_CODES = Object.keys(PROBLEMS).filter(isProblemCode);

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** @import { Problem } from '../../src/api/schemas.ts' */

/** Failures that only another photo can cure. */
const PHOTO_CODES = new Set([
  'empty_body',
  'body_too_large',
  'image_too_large',
  'unsupported_media_type',
  'malformed_image',
  'unreadable',
]);

/**
 * A failed request, or a photo that cannot be sent.
 *
 * @typedef {object} ProblemFacts
 * @property {string} code one of the API's codes, or `offline`, `unreachable`, `timeout`, `unreadable` or `unexpected`
 * @property {number} [status] the HTTP status; 0 or absent if there was no answer
 * @property {string} [title]
 * @property {string} [detail]
 * @property {number | undefined} [retryAfter]
 * @property {string | undefined} [requestId]
 * @property {Problem} [problem]
 */
export class ApiProblem extends Error {
  /**
   * @param {ProblemFacts} facts
   * @param {ErrorOptions} [options]
   */
  constructor(facts, options) {
    super(facts.detail ?? facts.title ?? facts.code, options);
    this.name = 'ApiProblem';
    /** The stable code of the failure. */
    this.code = facts.code;
    /** The HTTP status; 0 if there was no answer. */
    this.status = facts.status ?? 0;
    /** The kind of failure, in the service's words. */
    this.title = facts.title ?? '';
    /** What happened this time, in the service's words. */
    this.detail = facts.detail ?? '';
    /** Seconds to wait before the next request. */
    this.retryAfter = facts.retryAfter;
    /** The request's ID in the service's log. */
    this.requestId = facts.requestId;
    /** The problem+json answer, if the service sent one. */
    this.problem = facts.problem;
  }

  /** Whether the photo is the cause, so that sending it again cannot help. */
  get isPhotoAtFault() {
    return PHOTO_CODES.has(this.code);
  }
}

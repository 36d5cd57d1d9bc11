/**
 * A failed request, or a photo that cannot be sent.
 *
 * @import { Problem } from '../src/api/schemas.ts'
 *
 * @typedef {object} ProblemFacts
 * @property {string} code from the API's closed set, or one of the client's own (see words.js)
 * @property {number} [status] of HTTP; 0 or left out: there was no answer
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
    /** What failed: a code that stays the same. */
    this.code = facts.code;
    /** The HTTP status; 0 where there was no answer. */
    this.status = facts.status ?? 0;
    /** The kind of failure, in the service's words. */
    this.title = facts.title ?? '';
    /** What happened this time, in the service's words. */
    this.detail = facts.detail ?? '';
    /** Seconds after which the service wants to be asked again. */
    this.retryAfter = facts.retryAfter;
    /** What the service calls this request in its log. */
    this.requestId = facts.requestId;
    /** The answer itself, where it was problem+json. */
    this.problem = facts.problem;
  }
}

import { PROBLEMS, type ProblemCode, type ProblemStatus } from './api/problems.ts';

/**
 * Every failure the API can answer: a closed set, each with a stable `code` and an HTTP status.
 * `detail` is shown to the client, so it never holds a stack, a path, a key or anything of the photo;
 * `cause` is for the log only.
 */
export abstract class ApiError extends Error {
  abstract readonly code: ProblemCode;
  /** Extra response headers, such as `Allow` or `Retry-After`. */
  readonly headers: Readonly<Record<string, string>> = {};

  get status(): ProblemStatus {
    return PROBLEMS[this.code].status;
  }

  get title(): string {
    return PROBLEMS[this.code].title;
  }
}

export class EmptyBody extends ApiError {
  readonly code = 'empty_body';
}

/** A query parameter has a value that is not taken. */
export class InvalidParameter extends ApiError {
  readonly code = 'invalid_parameter';
}

/** A bearer token is needed: there was none, or a wrong one. */
export class Unauthorized extends ApiError {
  readonly code = 'unauthorized';
  override readonly headers: Readonly<Record<string, string>>;

  /** @param presented whether there was a token: RFC 6750, section 3.1 */
  constructor(detail: string, presented: boolean) {
    super(detail);
    this.headers = { 'WWW-Authenticate': presented ? 'Bearer error="invalid_token"' : 'Bearer' };
  }
}

/** The upload stopped half-way, or goes on for too long. */
export class RequestTimeout extends ApiError {
  readonly code = 'request_timeout';
}

export class BodyTooLarge extends ApiError {
  readonly code = 'body_too_large';
}

/** The file is fine, but decoding it would not fit the memory of an isolate. */
export class ImageTooLarge extends ApiError {
  readonly code = 'image_too_large';
}

export class TooManyPhotos extends ApiError {
  readonly code = 'too_many_photos';
}

export class UnsupportedMediaType extends ApiError {
  readonly code = 'unsupported_media_type';
}

export class MalformedImage extends ApiError {
  readonly code = 'malformed_image';
}

/** The same request may succeed later: after `retryAfter` seconds. */
abstract class TryLater extends ApiError {
  override readonly headers: Readonly<Record<string, string>>;

  constructor(detail: string, retryAfter: number) {
    super(detail);
    this.headers = { 'Retry-After': String(retryAfter) };
  }
}

/** One address or token has sent too many photos in a short time. */
export class RateLimited extends TryLater {
  readonly code = 'rate_limited';
}

/** Too many photos at once in this isolate. */
export class Overloaded extends TryLater {
  readonly code = 'overloaded';
}

/** The model cannot be fetched or run right now: storage is down, nothing is published. */
export class ModelUnavailable extends ApiError {
  readonly code = 'model_unavailable';
  override readonly headers: Readonly<Record<string, string>> = { 'Retry-After': '5' };
}

/** The model was fetched but is not what its manifest promises, so it is not run. */
export class ModelUntrusted extends ApiError {
  readonly code = 'model_untrusted';
}

export class NotFound extends ApiError {
  readonly code = 'not_found';
}

export class MethodNotAllowed extends ApiError {
  readonly code = 'method_not_allowed';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(allowed: readonly string[]) {
    super(`Use ${allowed.join(' or ')}.`);
    this.headers = { Allow: allowed.join(', ') };
  }
}

/** Anything unforeseen: a bug of ours. */
export class Internal extends ApiError {
  readonly code = 'internal';
}

/**
 * Every failure the API can answer: a closed set, each with a stable `code` and an HTTP status.
 * `detail` is shown to the client, so it never holds a stack, a path, a key or anything of the photo;
 * `cause` is for the log only.
 */
export abstract class ApiError extends Error {
  abstract readonly code: string;
  abstract readonly status: 400 | 401 | 404 | 405 | 408 | 413 | 415 | 422 | 429 | 500 | 503;
  abstract readonly title: string;
  /** Extra response headers, such as `Allow` or `Retry-After`. */
  readonly headers: Readonly<Record<string, string>> = {};
}

export class EmptyBody extends ApiError {
  readonly code = 'empty_body';
  readonly status = 400;
  readonly title = 'The request carries no photo';
}

/** The upload stopped half-way, or goes on for too long. */
export class RequestTimeout extends ApiError {
  readonly code = 'request_timeout';
  readonly status = 408;
  readonly title = 'The upload takes too long';
}

export class BodyTooLarge extends ApiError {
  readonly code = 'body_too_large';
  readonly status = 413;
  readonly title = 'The request body is too large';
}

/** The file is fine, but decoding it would not fit the memory of an isolate. */
export class ImageTooLarge extends ApiError {
  readonly code = 'image_too_large';
  readonly status = 413;
  readonly title = 'The photo has too many pixels';
}

export class UnsupportedMediaType extends ApiError {
  readonly code = 'unsupported_media_type';
  readonly status = 415;
  readonly title = 'The file format is not supported';
}

export class MalformedImage extends ApiError {
  readonly code = 'malformed_image';
  readonly status = 422;
  readonly title = 'The photo cannot be decoded';
}

/** Too many photos at once in this isolate; `retryAfter` is in seconds. */
export class Overloaded extends ApiError {
  readonly code = 'overloaded';
  readonly status = 503;
  readonly title = 'Too many photos at once';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(detail: string, retryAfter: number) {
    super(detail);
    this.headers = { 'Retry-After': String(retryAfter) };
  }
}

/** The model cannot be fetched or run right now: storage is down, nothing is published. */
export class ModelUnavailable extends ApiError {
  readonly code = 'model_unavailable';
  readonly status = 503;
  readonly title = 'The model is not available';
}

/** The model was fetched but is not what its manifest promises, so it is not run. */
export class ModelUntrusted extends ApiError {
  readonly code = 'model_untrusted';
  readonly status = 503;
  readonly title = 'The model failed verification';
}

export class NotFound extends ApiError {
  readonly code = 'not_found';
  readonly status = 404;
  readonly title = 'There is nothing here';
}

export class MethodNotAllowed extends ApiError {
  readonly code = 'method_not_allowed';
  readonly status = 405;
  readonly title = 'The method is not allowed here';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(allowed: readonly string[]) {
    super(`Use ${allowed.join(' or ')}.`);
    this.headers = { Allow: allowed.join(', ') };
  }
}

/** Anything unforeseen: a bug of ours. */
export class Internal extends ApiError {
  readonly code = 'internal';
  readonly status = 500;
  readonly title = 'Something went wrong';
}

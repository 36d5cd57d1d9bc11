/** The stable codes of all failures. */
export type FailureCode =
  | 'empty_body'
  | 'invalid_body'
  | 'invalid_parameter'
  | 'unauthorized'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'body_too_large'
  | 'image_too_large'
  | 'too_many_photos'
  | 'unsupported_media_type'
  | 'malformed_image'
  | 'rate_limited'
  | 'internal'
  | 'overloaded'
  | 'model_unavailable'
  | 'model_untrusted';

/**
 * A failure that the service reports: a closed set, one class for each code. Clients see `message`, so it never
 * contains a stack, a path, a key or anything from the photo. `cause` is for the log only.
 */
export abstract class Failure extends Error {
  abstract readonly code: FailureCode;
}

export class EmptyBody extends Failure {
  readonly code = 'empty_body';
}

/** The body is not in the form that the endpoint takes, such as JSON with a base64 photo. */
export class InvalidBody extends Failure {
  readonly code = 'invalid_body';
}

export class InvalidParameter extends Failure {
  readonly code = 'invalid_parameter';
}

export class Unauthorized extends Failure {
  readonly code = 'unauthorized';
  /** Whether the request carried a token. */
  readonly presented: boolean;

  constructor(message: string, presented: boolean) {
    super(message);
    this.presented = presented;
  }
}

export class NotFound extends Failure {
  readonly code = 'not_found';
}

export class MethodNotAllowed extends Failure {
  readonly code = 'method_not_allowed';
  readonly allowed: readonly string[];

  constructor(allowed: readonly string[]) {
    super(`Use ${allowed.join(' or ')}.`);
    this.allowed = allowed;
  }
}

/** The upload stalled, broke off, took too long, or was too slow for the memory that it took. */
export class RequestTimeout extends Failure {
  readonly code = 'request_timeout';
}

export class BodyTooLarge extends Failure {
  readonly code = 'body_too_large';
}

/** The file is valid, but an isolate has too little memory or time to decode it. */
export class ImageTooLarge extends Failure {
  readonly code = 'image_too_large';
}

export class TooManyPhotos extends Failure {
  readonly code = 'too_many_photos';
}

export class UnsupportedMediaType extends Failure {
  readonly code = 'unsupported_media_type';
}

export class MalformedImage extends Failure {
  readonly code = 'malformed_image';
}

/** The same request may succeed after `retryAfter` seconds. */
export abstract class TemporaryFailure extends Failure {
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/** An address or a token has sent too many photos in a short time, or too many at once. */
export class RateLimited extends TemporaryFailure {
  readonly code = 'rate_limited';
}

/** The isolate is working on too many photos at once. */
export class Overloaded extends TemporaryFailure {
  readonly code = 'overloaded';
}

/** The model cannot be fetched or run right now: storage is down, or nothing is published. */
export class ModelUnavailable extends TemporaryFailure {
  readonly code = 'model_unavailable';

  constructor(message: string, options?: ErrorOptions) {
    super(message, 5, options);
  }
}

/** The model is not what its manifest or signature promises, so it does not run. */
export class ModelUntrusted extends Failure {
  readonly code = 'model_untrusted';
}

/** A bug in the service. */
export class Internal extends Failure {
  readonly code = 'internal';
}

/** The error itself if it is a failure, else `Internal` with the error as its cause. */
export function toFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Internal('The error has been logged.', { cause: error });
}

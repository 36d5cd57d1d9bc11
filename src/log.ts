import type { CountedAnswer } from './counted-answer.ts';
import { toSizeClass } from './size-class.ts';

/** What is logged of a request: this closed list, and nothing of the photo, its name, its sender or its exact size. */
export interface RequestLog {
  readonly method: string;
  /** The route's pattern, not the requested path. */
  readonly route: string;
  readonly status: number;
  /** The failure's code; for a batch, the code of its worst photo. */
  readonly code?: string | undefined;
  /** Why the service itself failed. Never set when the request was at fault. */
  readonly reason?: string | undefined;
  /** The number of photos. */
  readonly photos?: number | undefined;
  /** Their formats. */
  readonly format?: string | undefined;
  /** The size class of the largest photo: too coarse to identify it. */
  readonly megapixels?: string | undefined;
  /** The first digits of the model's version. */
  readonly version?: string | undefined;
  /** The request's id, as in `X-Request-Id`. */
  readonly request: string;
}

/** What a request learns about its photos that may be logged. */
export interface RequestDetails {
  photos: number;
  readonly formats: Set<string>;
  /** Pixels of the largest decoded photo; 0 before one is decoded. */
  pixels: number;
  version: string | undefined;
}

export const noDetails = (): RequestDetails => ({ photos: 0, formats: new Set(), pixels: 0, version: undefined });

/** The details in the form in which they are logged. */
export function describeDetails({
  photos,
  formats,
  pixels,
  version,
}: RequestDetails): Pick<RequestLog, 'photos' | 'format' | 'megapixels' | 'version'> {
  return {
    photos: photos || undefined,
    format: [...formats].sort().join() || undefined,
    megapixels: pixels === 0 ? undefined : toSizeClass(pixels),
    version,
  };
}

export function logRequest(line: RequestLog): void {
  writeLine(line, line.reason !== undefined);
}

/** What is logged of a scheduled check of the model. */
export type CheckLog =
  | { readonly check: 'ok'; readonly model: string; readonly version: string; readonly signer: string }
  | { readonly check: 'failed'; readonly code: string; readonly reason: string };

export function logCheck(line: CheckLog): void {
  writeLine(line, line.check === 'failed');
}

/** Logs what is counted of an answer, if the setting `ANSWER_LOG` is on. */
export function logAnswer(answer: CountedAnswer): void {
  writeLine({ answer }, false);
}

/** What is logged once by an isolate that has drawn a candidate and cannot serve it. */
export interface CandidateLog {
  readonly candidate: 'refused';
  readonly version: string;
  readonly code: string;
  readonly reason: string;
}

export function logCandidate(line: CandidateLog): void {
  writeLine(line, true);
}

/** Writes one line of JSON to the console. */
function writeLine(line: RequestLog | CheckLog | CandidateLog | { answer: CountedAnswer }, failed: boolean): void {
  (failed ? console.error : console.log)(JSON.stringify(line));
}

/** An error and its causes in one line, without stacks. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} ${explainError(error.cause)}`;
}

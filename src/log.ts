/** What is logged of a request: this closed list and nothing of the photo, its name, its sender or its size. */
export interface RequestLog {
  readonly method: string;
  /** The route's pattern, not the path that was asked for. */
  readonly route: string;
  readonly status: number;
  /** The failure's code. */
  readonly code?: string | undefined;
  /** Why the service itself failed: never set when the request was at fault. */
  readonly reason?: string | undefined;
}

/** One line of JSON on the console. */
export function logRequest(line: RequestLog): void {
  const write = line.status >= 500 ? console.error : console.log;
  write(JSON.stringify(line));
}

/** What is logged of a scheduled check of the model. */
export type CheckLog =
  | { readonly check: 'ok'; readonly model: string; readonly version: string; readonly signer: string }
  | { readonly check: 'failed'; readonly code: string; readonly reason: string };

/** One line of JSON on the console. */
export function logCheck(line: CheckLog): void {
  const write = line.check === 'failed' ? console.error : console.log;
  write(JSON.stringify(line));
}

/** An error and its causes in one line, without stacks. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} ${reasonOf(error.cause)}`;
}

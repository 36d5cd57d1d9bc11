/** What is logged of a request: this closed list and nothing of the photo, its name, its sender or its size. */
export interface RequestLog {
  readonly method: string;
  /** The route's pattern, not the path that was asked for. */
  readonly route: string;
  readonly status: number;
  /** The failure's code; of a batch, that of its worst photo. */
  readonly code?: string | undefined;
  /** Why the service itself failed: never set when the request was at fault. */
  readonly reason?: string | undefined;
  /** How many photos there were. */
  readonly photos?: number | undefined;
  /** Their formats. */
  readonly format?: string | undefined;
  /** The largest one's class of size: too coarse to tell a photo by. */
  readonly megapixels?: string | undefined;
  /** The version of the model, its first digits. */
  readonly version?: string | undefined;
  /** The request's id, as in the answer's `X-Request-Id`. */
  readonly request: string;
}

/** What a request finds out about its photos that may be logged. */
export interface PhotoDetails {
  photos: number;
  readonly formats: Set<string>;
  /** Of the largest photo that was decoded; 0: none was. */
  pixels: number;
  version: string | undefined;
}

/** Details of which nothing is known yet. */
export function noDetails(): PhotoDetails {
  return { photos: 0, formats: new Set(), pixels: 0, version: undefined };
}

/** The details as they are logged. */
export function describeDetails({
  photos,
  formats,
  pixels,
  version,
}: PhotoDetails): Pick<RequestLog, 'photos' | 'format' | 'megapixels' | 'version'> {
  return {
    photos: photos || undefined,
    format: [...formats].sort().join() || undefined,
    megapixels: pixels === 0 ? undefined : sizeClass(pixels / 1e6),
    version,
  };
}

/** Upper ends of the classes, in megapixels. */
const SIZES = [1, 4, 12, 24, 50];

function sizeClass(megapixels: number): string {
  const above = SIZES.findLast((size) => megapixels > size);
  const upTo = SIZES.find((size) => megapixels <= size);
  return upTo === undefined ? `>${above}` : above === undefined ? `<=${upTo}` : `${above}-${upTo}`;
}

/** One line of JSON on the console. */
export function logRequest(line: RequestLog): void {
  const write = line.reason === undefined ? console.log : console.error;
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

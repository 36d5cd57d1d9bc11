/** Files that Pillow opens and the service refuses or shows differently. docs/image.md gives the same reasons. */
export interface Exception {
  readonly name: RegExp;
  /** The response's status; 200 if only the picture differs. */
  readonly status: number;
  readonly reason: string;
}

export const EXCEPTIONS: readonly Exception[] = [
  { name: /^(png|heic) grey 16/, status: 200, reason: 'Pillow turns 16-bit grey white' },
  { name: /premultiplied/, status: 200, reason: 'alpha is not decoded, so it cannot be divided out' },
  { name: /arithmetic/, status: 415, reason: 'libjpeg-turbo for wasm is built without arithmetic coding' },
];

/** The parts of workerd’s `node:zlib` (compatibility flag `nodejs_zlib`) in use. */
declare module 'node:zlib' {
  interface Inflate extends AsyncIterable<Uint8Array> {
    readonly readableLength: number;
    write(chunk: Uint8Array): boolean;
    end(): void;
    destroy(error?: Error): void;
    on(event: 'drain' | 'close', listener: () => void): void;
    off(event: 'drain' | 'close', listener: () => void): void;
  }
  export function createInflate(options: { chunkSize: number; highWaterMark: number }): Inflate;
  export function inflateSync(data: Uint8Array, options: { maxOutputLength: number; finishFlush: number }): Uint8Array;
  export function crc32(data: Uint8Array, value?: number): number;
}

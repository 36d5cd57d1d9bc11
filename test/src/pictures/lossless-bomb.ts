/** Writes bits, lowest first. */
class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;
  #count = 0;

  put(value: number, count: number): this {
    for (let i = 0; i < count; i++) {
      this.#bits |= ((value >> i) & 1) << this.#count;
      if (++this.#count === 8) this.#flush();
    }
    return this;
  }

  #flush(): void {
    this.#bytes.push(this.#bits);
    this.#bits = 0;
    this.#count = 0;
  }

  finish(): Uint8Array {
    if (this.#count > 0) this.#flush();
    return Uint8Array.from([...this.#bytes, ...new Array(16).fill(0)]);
  }
}

/** A prefix code of the one symbol 0. */
function single(writer: BitWriter): void {
  writer.put(0b0001, 4);
}

/** A prefix code that gives each of the first 256 symbols eight bits. */
function everyByte(writer: BitWriter, alphabet: number): void {
  writer.put(0, 1).put(12 - 4, 4);
  for (let i = 0; i < 12; i++) writer.put(i === 2 || i === 11 ? 1 : 0, 3);
  writer.put(0, 1);
  for (let i = 0; i < alphabet; i++) writer.put(i < 256 ? 1 : 0, 1);
}

/** The lowest eight bits, the other way round: codes stand in the file highest bit first. */
function reversed(value: number): number {
  return [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, bit) => sum | (((value >> bit) & 1) << (7 - bit)), 0);
}

/**
 * A valid lossless WebP (RFC 9649), black, whose every tile of 4x4 pixels has prefix codes of its own. `side` is
 * its width and height in pixels; from 1024 on it has all 65,536 groups of codes that are possible.
 */
export function losslessBomb(side: number): Uint8Array {
  const tiles = Math.ceil(side / 4) ** 2;
  const writer = new BitWriter()
    .put(side - 1, 14)
    .put(side - 1, 14)
    .put(0, 1)
    .put(0, 3);
  writer.put(0, 1).put(0, 1).put(1, 1).put(0, 3);
  writer.put(0, 1);
  everyByte(writer, 280);
  everyByte(writer, 256);
  for (let i = 0; i < 3; i++) single(writer);
  for (let i = 0; i < tiles; i++) writer.put(reversed(i), 8).put(reversed(i >> 8), 8);
  for (let i = 0; i < tiles * 5; i++) single(writer);
  const data = writer.finish();
  const file = new Uint8Array(20 + 1 + data.length + ((1 + data.length) & 1));
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode('RIFF....WEBPVP8L'));
  view.setUint32(4, file.length - 8, true);
  view.setUint32(16, 1 + data.length, true);
  file[20] = 0x2f;
  file.set(data, 21);
  return file;
}

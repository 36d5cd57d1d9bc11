/** Writes bits, lowest first. */
export class BitWriter {
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

  /** The bytes, and 16 zeros for readers that look ahead. */
  finish(): Uint8Array {
    if (this.#count > 0) this.#flush();
    return Uint8Array.from([...this.#bytes, ...new Array(16).fill(0)]);
  }
}

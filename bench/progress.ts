/** One line that says what is being done; on a terminal it is overwritten, elsewhere only new steps are printed. */
export class Progress {
  #prefix = '';
  #step = '';

  /** Begins a part of the work. @param place such as `[2 of 10] ` */
  begin(place: string): void {
    this.clear();
    this.#prefix = place;
  }

  /** @param detail such as `3 of 15` */
  show(step: string, detail = ''): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${this.#prefix}${step} ${detail}`);
    else if (step !== this.#step) console.error(this.#prefix + step);
    this.#step = step;
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    this.#step = '';
  }
}

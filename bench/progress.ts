/** One line that says what is being measured: overwritten on a terminal, elsewhere printed once for each step. */
export class Progress {
  #prefix = '';
  #step = '';

  /** @param prefix stands before each line, such as `[2 of 7] ` */
  begin(prefix: string): void {
    this.clear();
    this.#prefix = prefix;
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

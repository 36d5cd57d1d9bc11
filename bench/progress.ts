/** One line that says what is being measured: overwritten on a terminal, elsewhere printed once for each step. */
export class Progress {
  #step = '';

  /** @param detail such as `3 of 15` */
  show(step: string, detail = ''): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step} ${detail}`);
    else if (step !== this.#step) console.error(step);
    this.#step = step;
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    this.#step = '';
  }
}

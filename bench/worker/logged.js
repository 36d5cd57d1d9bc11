/** Counts what the Worker logs, by status and code: what it takes for a failure of its own shows there even where no client sees it. */

/** @type {Record<string, number>} */
const counts = {};

/** @type {Set<string>} */
const reasons = new Set();

/** Lines that are not the Worker's own. @type {Set<string>} */
const unexpected = new Set();

for (const name of /** @type {const} */ (['log', 'error'])) {
  const write = console[name].bind(console);
  /** @param {unknown[]} args */
  console[name] = (...args) => {
    write(...args);
    note(String(args[0]));
  };
}

/** @param {string} line */
function note(line) {
  if (!line.startsWith('{')) {
    unexpected.add(line);
    return;
  }
  const { status, code, reason } = JSON.parse(line);
  const key = [status, code].filter((each) => each !== undefined).join(' ');
  counts[key] = (counts[key] ?? 0) + 1;
  if (reason !== undefined) reasons.add(`${code}: ${reason}`);
}

/** So many lines of each status and code, the different reasons for failures of its own, and what else was written. */
export const logged = () => ({ counts, reasons: [...reasons], unexpected: [...unexpected] });

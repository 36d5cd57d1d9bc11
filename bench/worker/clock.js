/** A clock that can be put forward and back: import this before anything that asks for the time. */

const RealDate = Date;
let skew = 0;

globalThis.Date = new Proxy(RealDate, {
  /** @param {unknown[]} args */
  construct(target, args) {
    return Reflect.construct(target, args.length === 0 ? [Date.now()] : args);
  },
  get(target, key) {
    if (key === 'now') return () => RealDate.now() + skew;
    return Reflect.get(target, key);
  },
});

/** @param {number} milliseconds ahead of the real time */
export function setSkew(milliseconds) {
  skew = milliseconds;
}

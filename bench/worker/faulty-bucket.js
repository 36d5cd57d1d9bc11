/** The bucket as the Worker sees it, with something wrong between the two. */

/**
 * @typedef {object} Faults
 * @property {number} delay milliseconds before each read is answered
 * @property {number} failing so many of every `of` reads fail
 * @property {number} of
 * @property {'whole' | 'half' | 'damaged'} files how the bytes of a model's files arrive
 */

/** @type {Faults} */
export const NO_FAULTS = { delay: 0, failing: 0, of: 1, files: 'whole' };

/** @type {Faults} */
let faults = NO_FAULTS;
let reads = 0;

/** @param {Partial<Faults>} next what is wrong from now on; the rest is right */
export function setFaults(next) {
  faults = { ...NO_FAULTS, ...next };
  reads = 0;
}

/** @param {R2Bucket} bucket @returns {R2Bucket} */
export function faultyBucket(bucket) {
  return new Proxy(bucket, {
    get(target, key) {
      if (key === 'get') {
        /** @param {string} name @param {R2GetOptions} [options] */
        return async (name, options) => {
          await trouble();
          const object = await target.get(name, options);
          return object && 'body' in object && name.startsWith('models/') ? spoiled(object) : object;
        };
      }
      if (key === 'head') {
        /** @param {string} name */
        return async (name) => {
          await trouble();
          return target.head(name);
        };
      }
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function trouble() {
  const { delay, failing, of } = faults;
  if (delay > 0) await scheduler.wait(delay);
  if (reads++ % of < failing)
    throw new Error('get: We encountered an internal error. Please try again. (10001)');
}

/** @param {R2ObjectBody} object */
function spoiled(object) {
  const { files } = faults;
  if (files === 'whole') return object;
  return new Proxy(object, {
    get(target, key) {
      if (key === 'arrayBuffer') return async () => spoil(await target.arrayBuffer(), files);
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** @param {ArrayBuffer} buffer @param {'half' | 'damaged'} how */
function spoil(buffer, how) {
  if (how === 'half') return buffer.slice(0, buffer.byteLength >> 1);
  const bytes = new Uint8Array(buffer);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
  return buffer;
}

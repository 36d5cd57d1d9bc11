/** Pauses a changeover of the model after each of its steps, so that the inspector can measure memory there. */
import { InferenceSession } from 'onnxruntime-web/wasm';

const POLL = 2;

let isPausing = false;
/** The step that has ended. @type {string | null} */
let step = null;

/** The step after which a changeover is paused now, or null. */
export const currentStep = () => step;

/** From now on, pauses after each step, or no more. @param {boolean} on */
export function pauseSteps(on) {
  isPausing = on;
  step = null;
}

/** Begins the next step. */
export function resume() {
  step = null;
}

/** @param {string} name */
async function pauseAfter(name) {
  if (!isPausing) return;
  step = name;
  while (step === name) await scheduler.wait(POLL);
}

/** @type {SubtleCrypto} */
const subtle = Object.getPrototypeOf(crypto.subtle);
const { verify } = subtle;
/** @this {SubtleCrypto} @param {Parameters<SubtleCrypto['verify']>} args */
subtle.verify = async function (...args) {
  await pauseAfter('files arrived');
  const verified = await verify.apply(this, args);
  await pauseAfter('files verified');
  return verified;
};

const { create } = InferenceSession;
Object.assign(InferenceSession, {
  /** @param {Parameters<typeof create>} args */
  create: async (...args) => {
    await pauseAfter('old session freed');
    const session = await create(...args);
    await pauseAfter('new session created');
    return session;
  },
});

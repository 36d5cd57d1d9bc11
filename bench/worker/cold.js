/**
 * The Worker with checks of the model left out, as the variable `CHECKS` says, to see what they cost a cold start; and with what
 * its first answer is made of noted.
 */
import './spans.js';
import { createApp } from '../../src/app.ts';
import { configOf } from '../../src/config.ts';
import { createIsolate } from '../../src/isolate.ts';
import { createClassifier } from '../../src/model/classifier.ts';
import { channelKey, modelKey } from '../../src/model/layout.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import { begin, noted, watchedBucket } from './spans.js';

/** @typedef {import('../../src/config.ts').Env & { readonly CHECKS: 'all' | 'self-test' | 'none' }} Env */

/**
 * Reads the same files as the Worker does, and believes them.
 *
 * @param {Env} env
 */
async function trustingClassifier(env) {
  const { MODELS, CHECKS } = env;
  /** @param {string} key */
  const read = async (key) => {
    const object = await MODELS.get(key);
    return new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
  };
  const pointer = await read(channelKey(configOf(env).MODEL_CHANNEL));
  const version = String(JSON.parse(new TextDecoder().decode(pointer)).version);
  const [manifestBytes, , onnx] = await Promise.all([
    read(modelKey(version, 'manifest.json')),
    read(modelKey(version, 'model.sig')),
    read(modelKey(version, 'model.onnx')),
  ]);
  const manifest = parseManifest(manifestBytes);
  const probes = CHECKS === 'none' ? [] : manifest.probes;
  return createClassifier({ version, manifest: { ...manifest, probes }, onnx, signer: '' });
}

/** @type {import('../../src/isolate.ts').Isolate | undefined} */
let isolate;

/** @type {ReturnType<typeof trustingClassifier> | undefined} */
let loading;

const app = createApp((bindings) => {
  const env = /** @type {Env} */ (bindings);
  isolate ??= createIsolate(configOf(env));
  if (env.CHECKS === 'all') return isolate;
  const models = /** @type {import('../../src/model/host.ts').ModelHost} */ (
    /** @type {unknown} */ ({
      classifier: () => {
        loading ??= trustingClassifier(env);
        return loading;
      },
      trouble: undefined,
    })
  );
  return { ...isolate, models };
});

app.get('/bench/spans', (c) => c.json(noted()));

/** The bindings with the bucket watched; always the same object, since the configuration is parsed once for each. @type {Env | undefined} */
let watchedEnv;

/** @satisfies {ExportedHandler<Env>} */
export default {
  fetch(request, env, context) {
    begin();
    watchedEnv ??= { ...env, MODELS: watchedBucket(env.MODELS) };
    return app.fetch(request, watchedEnv, context);
  },
};

/**
 * The typed client of the API: for this page, and for whoever imports it in TypeScript or JavaScript.
 *
 * @import { BatchEntry, Health, ModelInfo, Prediction } from '../src/api/schemas.ts'
 *
 * @typedef {object} ClientOptions
 * @property {string} [origin] where the service is, such as "https://husky.example"; default: the page's own origin
 * @property {string} [token] the bearer token, where the service asks for one
 * @property {typeof globalThis.fetch} [fetch] used instead of the platform's
 *
 * @typedef {object} PredictOptions
 * @property {boolean} [heatmap] ask for the heat map as well
 * @property {AbortSignal} [signal] stops the request; the promise then rejects with the signal's reason
 * @property {(sent: number) => void} [onProgress] called with the part sent, 0 to 1; in browsers with every step
 *
 * @typedef {object} PredictManyOptions
 * @property {boolean} [heatmap] ask for the heat maps as well
 * @property {AbortSignal} [signal]
 * @property {number} [batch] photos in one request; default: as many as the service takes
 *
 * @typedef {object} Client
 * @property {(photo: Blob, options?: PredictOptions) => Promise<Prediction>} predict what the model says of one photo
 * @property {(photos: readonly Blob[], options?: PredictManyOptions) => Promise<BatchEntry[]>} predictMany
 *   one entry a photo, in their order: its prediction, or the problem with this one photo
 * @property {(options?: { signal?: AbortSignal }) => Promise<ModelInfo>} model what is served
 * @property {(options?: { signal?: AbortSignal }) => Promise<Health>} health whether a prediction would work
 */

import { answerOf, isBatch, isHealth, isModelInfo, isPrediction } from './answers.js';
import { ApiProblem } from './problem.js';
import { transportOf } from './transport.js';

export { ApiProblem };

/** Statuses that are about the photo and not about the request as a whole. */
const OF_THE_PHOTO = new Set([400, 413, 415, 422]);

/**
 * A client of the service at `origin`. Every method rejects with {@link ApiProblem}: what the service says, or one
 * of `offline`, `unreachable`, `timeout`, `unreadable` and `unexpected` where it did not answer as it should.
 *
 * @example
 *   const husky = createClient({ origin: 'https://husky.example' });
 *   const { label, score } = await husky.predict(photo);
 *
 * @param {ClientOptions} [options]
 * @returns {Client}
 * @throws {TypeError} there is no page and no `origin`
 */
export function createClient({ origin = globalThis.location?.origin, token, fetch } = {}) {
  const base = new URL('/', origin);
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};

  /**
   * @template T
   * @param {string} path
   * @param {(value: unknown) => value is T} isAnswer
   * @param {Omit<import('./transport.js').Exchange, 'url'>} exchange
   * @returns {Promise<T>}
   */
  async function ask(path, isAnswer, exchange) {
    const send = transportOf(exchange, fetch);
    const headers = { Accept: 'application/json', ...authorization, ...exchange.headers };
    return answerOf(await send({ ...exchange, headers, url: new URL(path, base).href }), isAnswer);
  }

  /** @param {boolean | undefined} heatmap */
  const predictPath = (heatmap) => `/api/predict${heatmap ? '?heatmap=1' : ''}`;

  /** @type {Client} */
  const client = {
    // As the raw body, so that not even the photo's name is sent.
    predict: (photo, { heatmap, ...options } = {}) =>
      ask(predictPath(heatmap), isPrediction, {
        ...options,
        method: 'POST',
        headers: { 'Content-Type': contentType(photo) },
        body: photo,
      }),

    async predictMany(photos, { heatmap, signal, batch } = {}) {
      const options = signal ? { signal } : {};
      const most = batch ?? (photos.length > 1 ? (await client.model(options)).service.batch : 1);
      /** @type {BatchEntry[]} */
      const entries = [];
      for (let start = 0; start < photos.length; start += most) {
        const some = photos.slice(start, start + most);
        const [only] = some;
        if (some.length === 1 && only) {
          entries.push(await client.predict(only, { ...options, heatmap: heatmap ?? false }).catch(asEntry));
          continue;
        }
        const body = new FormData();
        for (const photo of some) body.append('file', photo, 'photo');
        const answer = await ask(predictPath(heatmap), isBatch, { ...options, method: 'POST', body });
        if (answer.length !== some.length) throw new ApiProblem({ code: 'unexpected' });
        entries.push(...answer);
      }
      return entries;
    },

    model: (options = {}) => ask('/api/model', isModelInfo, { ...options, method: 'GET' }),
    health: (options = {}) => ask('/api/health', isHealth, { ...options, method: 'GET' }),
  };
  return client;
}

/**
 * The API tells formats by their bytes; a type that it would refuse unseen is left out.
 *
 * @param {Blob} photo
 */
function contentType(photo) {
  return photo.type.startsWith('image/') ? photo.type : 'application/octet-stream';
}

/**
 * The problem of one photo as it stands in a batch; any other failure is the whole call's.
 *
 * @param {unknown} reason
 * @returns {BatchEntry}
 */
function asEntry(reason) {
  if (reason instanceof ApiProblem && reason.problem && OF_THE_PHOTO.has(reason.status))
    return reason.problem;
  throw reason;
}

/**
 * A typed client of the API, for this page and for any other TypeScript or JavaScript.
 *
 * @import { BatchEntry, Health, ModelInfo, Prediction } from '../../src/api/schemas.ts'
 * @import { Exchange } from './transport.js'
 *
 * @typedef {object} ClientOptions
 * @property {string} [origin] the service's origin, such as "https://husky.example"; default: the page's own
 * @property {string} [token] the bearer token, if the service requires one
 * @property {typeof globalThis.fetch} [fetch] replaces the platform's fetch
 *
 * @typedef {object} PredictOptions
 * @property {boolean} [heatmap] also request the heat map
 * @property {AbortSignal} [signal] cancels the request; the promise then rejects with the signal's reason
 * @property {(sent: number) => void} [onProgress] receives the fraction uploaded, 0 to 1; outside browsers only 0 and 1
 *
 * @typedef {object} PredictManyOptions
 * @property {boolean} [heatmap] also request the heat maps
 * @property {AbortSignal} [signal]
 * @property {number} [batch] photos per request; default: the most that the service accepts
 *
 * @typedef {object} Client
 * @property {(photo: Blob, options?: PredictOptions) => Promise<Prediction>} predict scores one photo
 * @property {(photos: readonly Blob[], options?: PredictManyOptions) => Promise<BatchEntry[]>} predictMany
 *   scores many photos; resolves to one entry per photo, in order: a prediction, or the problem with that photo
 * @property {(options?: { signal?: AbortSignal }) => Promise<ModelInfo>} model describes the model and the service
 * @property {(options?: { signal?: AbortSignal }) => Promise<Health>} health reports whether predictions work
 */

import { isBatch, isHealth, isModelInfo, isPrediction, parseReply } from './answers.js';
import { ApiProblem } from './problem.js';
import { chooseTransport } from './transport.js';

export { ApiProblem };

/**
 * Returns a client of the service at `origin`. Every method rejects with {@link ApiProblem}: the service's own
 * problem, or `offline`, `unreachable`, `timeout`, `unreadable` or `unexpected` if there was no valid answer.
 *
 * @example
 *   const husky = createClient({ origin: 'https://husky.example' });
 *   const { label, score } = await husky.predict(photo);
 *
 * @param {ClientOptions} [options]
 * @returns {Client}
 * @throws {TypeError} `origin` is missing outside a page
 */
export function createClient({ origin = globalThis.location?.origin, token, fetch } = {}) {
  const base = new URL('/', origin);
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};

  /**
   * @template T
   * @param {string} path
   * @param {(value: unknown) => value is T} isAnswer
   * @param {Omit<Exchange, 'url'>} exchange
   * @returns {Promise<T>}
   */
  async function request(path, isAnswer, exchange) {
    const send = chooseTransport(exchange, fetch);
    const headers = { Accept: 'application/json', ...authorization, ...exchange.headers };
    return parseReply(await send({ ...exchange, headers, url: new URL(path, base).href }), isAnswer);
  }

  /** @param {boolean | undefined} heatmap */
  const predictPath = (heatmap) => `/api/predict${heatmap ? '?heatmap=1' : ''}`;

  /** @type {Client} */
  const client = {
    // A raw body, unlike a form, does not contain the file's name.
    predict: (photo, { heatmap, ...options } = {}) =>
      request(predictPath(heatmap), isPrediction, {
        ...options,
        method: 'POST',
        headers: { 'Content-Type': contentType(photo) },
        body: photo,
      }),

    async predictMany(photos, { heatmap, signal, batch } = {}) {
      const options = signal ? { signal } : {};
      const size = batch ?? (photos.length > 1 ? (await client.model(options)).service.batch : 1);
      /** @type {BatchEntry[]} */
      const entries = [];
      for (let start = 0; start < photos.length; start += size) {
        const chunk = photos.slice(start, start + size);
        const [only] = chunk;
        if (chunk.length === 1 && only) {
          entries.push(await client.predict(only, { ...options, heatmap: heatmap ?? false }).catch(asEntry));
          continue;
        }
        const body = new FormData();
        for (const photo of chunk) body.append('file', photo, 'photo');
        const answer = await request(predictPath(heatmap), isBatch, { ...options, method: 'POST', body });
        if (answer.length !== chunk.length) throw new ApiProblem({ code: 'unexpected' });
        entries.push(...answer);
      }
      return entries;
    },

    model: (options = {}) => request('/api/model', isModelInfo, { ...options, method: 'GET' }),
    health: (options = {}) => request('/api/health', isHealth, { ...options, method: 'GET' }),
  };
  return client;
}

/**
 * The photo's media type, or a neutral one: the API reads the format from the bytes but rejects types that are no
 * images.
 *
 * @param {Blob} photo
 */
function contentType(photo) {
  return photo.type.startsWith('image/') ? photo.type : 'application/octet-stream';
}

/**
 * Turns a problem with one photo into its entry; rethrows any other failure.
 *
 * @param {unknown} reason
 * @returns {BatchEntry}
 */
function asEntry(reason) {
  if (reason instanceof ApiProblem && reason.problem && reason.isPhotoAtFault) return reason.problem;
  throw reason;
}

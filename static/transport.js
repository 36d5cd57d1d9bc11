/**
 * One request and its answer, by fetch, or by XMLHttpRequest where the progress of the upload is asked for: fetch tells
 * nothing of it.
 *
 * @typedef {object} Exchange
 * @property {string} url
 * @property {'GET' | 'POST'} method
 * @property {Record<string, string>} [headers]
 * @property {Blob | FormData} [body]
 * @property {AbortSignal} [signal]
 * @property {(sent: number) => void} [onProgress]
 *
 * @typedef {object} Reply
 * @property {number} status
 * @property {(name: string) => string | null} header
 * @property {string} text
 *
 * @typedef {(exchange: Exchange) => Promise<Reply>} Transport
 */

import { ApiProblem } from './problem.js';

/** With no byte moving either way for so long, the connection is taken for dead (milliseconds). */
const STALL = 60_000;

/**
 * What sends this: what was given, else what the platform has.
 *
 * @param {Omit<Exchange, 'url'>} exchange
 * @param {typeof globalThis.fetch} [fetch]
 * @returns {Transport}
 */
export function transportOf({ onProgress }, fetch) {
  const hasRequest = typeof XMLHttpRequest === 'function';
  return onProgress && !fetch && hasRequest ? byXMLHttpRequest : byFetch(fetch ?? globalThis.fetch);
}

/**
 * @param {typeof globalThis.fetch} fetch
 * @returns {Transport}
 */
function byFetch(fetch) {
  return async ({ url, method, headers, body, signal, onProgress }) => {
    onProgress?.(0);
    try {
      const response = await fetch(url, {
        method,
        ...(headers && { headers }),
        ...(body && { body }),
        ...(signal && { signal }),
      });
      const text = await response.text();
      onProgress?.(1);
      return { status: response.status, header: (name) => response.headers.get(name), text };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ApiProblem({ code: await whyUnsent(body) }, { cause });
    }
  };
}

/** @type {Transport} */
function byXMLHttpRequest({ url, method, headers = {}, body, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    let stalled = setTimeout(stall, STALL);

    function stall() {
      finish(() => reject(new ApiProblem({ code: 'timeout' })));
      request.abort();
    }

    function moved() {
      clearTimeout(stalled);
      stalled = setTimeout(stall, STALL);
    }

    function abort() {
      finish(() => reject(signal?.reason));
      request.abort();
    }

    /** @param {() => void} settle */
    function finish(settle) {
      clearTimeout(stalled);
      signal?.removeEventListener('abort', abort);
      settle();
    }

    signal?.addEventListener('abort', abort);
    request.upload.addEventListener('progress', ({ lengthComputable, loaded, total }) => {
      moved();
      if (lengthComputable && total > 0) onProgress?.(loaded / total);
    });
    request.upload.addEventListener('load', () => onProgress?.(1));
    request.addEventListener('progress', moved);
    request.addEventListener('load', () => {
      const { status, responseText: text } = request;
      finish(() => resolve({ status, header: (name) => request.getResponseHeader(name), text }));
    });
    request.addEventListener('error', async () => {
      const code = await whyUnsent(body);
      finish(() => reject(new ApiProblem({ code })));
    });

    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body ?? null);
  });
}

/**
 * The platform says only that the request failed: a file that can no longer be read fails in the same way as a dead
 * connection.
 *
 * @param {Blob | FormData} [body]
 */
async function whyUnsent(body) {
  try {
    if (body instanceof Blob) await body.slice(0, 1).arrayBuffer();
  } catch {
    return 'unreadable';
  }
  return globalThis.navigator?.onLine === false ? 'offline' : 'unreachable';
}

/**
 * Sends one request with fetch, or with XMLHttpRequest if the caller wants upload progress, which fetch does not report.
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

/** After this many milliseconds without a byte in either direction, the connection counts as dead. */
const STALL_MS = 60_000;

/**
 * Returns the transport for an exchange: the given fetch, or whichever of the platform's fits.
 *
 * @param {Omit<Exchange, 'url'>} exchange
 * @param {typeof globalThis.fetch} [fetch]
 * @returns {Transport}
 */
export function chooseTransport({ onProgress }, fetch) {
  const hasXhr = typeof XMLHttpRequest === 'function';
  return onProgress && !fetch && hasXhr ? sendByXhr : sendByFetch(fetch ?? globalThis.fetch);
}

/**
 * @param {typeof globalThis.fetch} fetch
 * @returns {Transport}
 */
function sendByFetch(fetch) {
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
      throw new ApiProblem({ code: await findCause(body) }, { cause });
    }
  };
}

/** @type {Transport} */
function sendByXhr({ url, method, headers = {}, body, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    let timer = setTimeout(stall, STALL_MS);

    function stall() {
      finish(() => reject(new ApiProblem({ code: 'timeout' })));
      request.abort();
    }

    function restartTimer() {
      clearTimeout(timer);
      timer = setTimeout(stall, STALL_MS);
    }

    function abort() {
      finish(() => reject(signal?.reason));
      request.abort();
    }

    /** @param {() => void} settle */
    function finish(settle) {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle();
    }

    signal?.addEventListener('abort', abort);
    request.upload.addEventListener('progress', ({ lengthComputable, loaded, total }) => {
      restartTimer();
      if (lengthComputable && total > 0) onProgress?.(loaded / total);
    });
    request.upload.addEventListener('load', () => onProgress?.(1));
    request.addEventListener('progress', restartTimer);
    request.addEventListener('load', () => {
      const { status, responseText: text } = request;
      finish(() => resolve({ status, header: (name) => request.getResponseHeader(name), text }));
    });
    request.addEventListener('error', async () => {
      const code = await findCause(body);
      finish(() => reject(new ApiProblem({ code })));
    });

    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body ?? null);
  });
}

/**
 * Returns the code of a request that failed without an answer. The platform reports only that it failed, whether the
 * connection is dead or the file can no longer be read.
 *
 * @param {Blob | FormData} [body]
 */
async function findCause(body) {
  try {
    if (body instanceof Blob) await body.slice(0, 1).arrayBuffer();
  } catch {
    return 'unreadable';
  }
  return globalThis.navigator?.onLine === false ? 'offline' : 'unreachable';
}

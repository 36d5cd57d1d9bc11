/** One photo to the API and its answer back: XMLHttpRequest, since fetch tells nothing of an upload's progress. */

import { isRecord, parseAnswer } from './answer.js';
import { UploadFailed } from './problem.js';

/** @import { Answer } from './answer.js' */

/** With no byte moving either way for so long, the connection is taken for dead (milliseconds). */
const STALL = 60_000;

/**
 * Posts the photo as the raw body, so that not even its name leaves the device.
 *
 * @param {File} file
 * @param {object} options
 * @param {AbortSignal} options.signal stops the upload; the promise then rejects with the signal's reason
 * @param {(sent: number) => void} options.onProgress called with the part sent, 0 to 1
 * @returns {Promise<Answer>} rejects with {@link UploadFailed}
 */
export function predict(file, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stalled = setTimeout(stall, STALL);

    function stall() {
      finish(() => reject(new UploadFailed({ code: 'timeout' })));
      request.abort();
    }

    function moved() {
      clearTimeout(stalled);
      stalled = setTimeout(stall, STALL);
    }

    function abort() {
      finish(() => reject(signal.reason));
      request.abort();
    }

    /** @param {() => void} settle */
    function finish(settle) {
      clearTimeout(stalled);
      signal.removeEventListener('abort', abort);
      settle();
    }

    signal.addEventListener('abort', abort);
    request.upload.addEventListener('progress', (event) => {
      moved();
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    });
    request.upload.addEventListener('load', () => onProgress(1));
    request.addEventListener('progress', moved);
    request.addEventListener('load', () => finish(() => settle(request, resolve, reject)));
    request.addEventListener('error', async () => {
      const code = await whyUnsent(file);
      finish(() => reject(new UploadFailed({ code })));
    });

    request.open('POST', '/api/predict');
    request.setRequestHeader('Accept', 'application/json, application/problem+json');
    request.setRequestHeader('Content-Type', contentType(file));
    request.send(file);
  });
}

/**
 * The API tells formats by their bytes; a type that it would refuse unseen is left out.
 *
 * @param {File} file
 */
function contentType(file) {
  return file.type.startsWith('image/') ? file.type : 'application/octet-stream';
}

/**
 * @param {XMLHttpRequest} request
 * @param {(answer: Answer) => void} resolve
 * @param {(reason: UploadFailed) => void} reject
 */
function settle(request, resolve, reject) {
  const body = parseJson(request.responseText);
  if (request.status === 200) {
    const answer = parseAnswer(body);
    if (answer) resolve(answer);
    else reject(new UploadFailed({ code: 'unexpected' }));
    return;
  }
  reject(new UploadFailed(problemIn(body, request)));
}

/**
 * @param {unknown} body
 * @param {XMLHttpRequest} request
 * @returns {import('./problem.js').Problem}
 */
function problemIn(body, request) {
  if (!isRecord(body) || typeof body.code !== 'string') return { code: 'unexpected' };
  const seconds = Number(request.getResponseHeader('Retry-After') ?? Number.NaN);
  return {
    code: body.code,
    ...(typeof body.title === 'string' && { title: body.title }),
    ...(typeof body.detail === 'string' && { detail: body.detail }),
    ...(seconds > 0 && { retryAfter: Math.ceil(seconds) }),
  };
}

/**
 * The browser says only that the request failed: a file that can no longer be read fails in the same way as a
 * dead connection.
 *
 * @param {File} file
 */
async function whyUnsent(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    return 'unreadable';
  }
  return navigator.onLine ? 'unreachable' : 'offline';
}

/**
 * @param {string} text
 * @returns {unknown} undefined where the text is not JSON
 */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

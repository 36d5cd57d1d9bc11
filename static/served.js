/** What is served here, in words: the model's name in the footer, the question that it answers. */

import { questionFor } from './verdict.js';

/** @import { ModelInfo } from '../src/api/schemas.ts' */

/** Hex digits of a fingerprint that are shown. */
const SHORT = 12;

/**
 * @param {ModelInfo} model
 * @param {{ served: HTMLElement, question: HTMLElement, source: HTMLAnchorElement }} parts
 */
export function showServed({ name, version, labels, verified, service }, { served, question, source }) {
  const asked = questionFor(labels);
  if (asked !== null && asked !== question.textContent) {
    question.textContent = asked;
    document.title = `${asked} · Husky AI`;
  }

  served.textContent = `Model ${name} · version ${version} · signature of key ${verified.signer.slice(0, SHORT)} verified `;
  const at = new Date(verified.at);
  if (!Number.isNaN(at.getTime())) {
    const time = document.createElement('time');
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleString();
    served.append(time);
  }

  if (service.source && /^https?:/.test(service.source)) {
    source.href = service.source;
    source.hidden = false;
  }
}

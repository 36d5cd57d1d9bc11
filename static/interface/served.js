import { words } from '../words.js';

/** @import { ModelInfo } from '../../src/api/schemas.ts' */

/** Hex digits shown of a fingerprint. */
const DIGITS = 12;

/**
 * Shows the model in the footer and asks its question in the heading and the title.
 *
 * @param {ModelInfo} model
 * @param {{ served: HTMLElement, question: HTMLElement, source: HTMLAnchorElement }} parts
 */
export function showServed(model, { served, question, source }) {
  const { name, version, verified, service } = model;
  const asked = questionFor(model);
  if (asked !== undefined && asked !== question.textContent) {
    question.textContent = asked;
    document.title = words.title(asked);
  }

  served.textContent = words.served({ name, version, signer: verified.signer.slice(0, DIGITS) });
  const at = new Date(verified.at);
  if (!Number.isNaN(at.getTime())) {
    const time = document.createElement('time');
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleString();
    served.append(' ', time);
  }

  if (service.source && /^https?:/.test(service.source)) {
    source.href = service.source;
    source.hidden = false;
  }
}

/** @param {ModelInfo} model */
function questionFor({ labels: [first, second, ...others], independent }) {
  if (first === undefined) return undefined;
  const isBinary = !independent && others.length === 0 && second === `not ${first}`;
  return words.question(isBinary ? first : undefined);
}

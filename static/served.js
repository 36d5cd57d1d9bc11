/** What is served here: the model's name in the footer, the question that it answers, the command that asks it. */

import { parseServed } from './answer.js';
import { questionFor } from './verdict.js';

/** Hex digits of a fingerprint that are shown. */
const SHORT = 12;

/** How long "Copied" stays (milliseconds). */
const COPIED = 2000;

/**
 * Fills footer and heading from the service; where it does not answer, the page stays as it is.
 *
 * @param {{ served: HTMLElement, question: HTMLElement }} parts
 */
export async function showServed({ served, question }) {
  let model;
  try {
    const response = await fetch('/api/model', { headers: { Accept: 'application/json' } });
    if (!response.ok) return;
    model = parseServed(await response.json());
  } catch {
    return;
  }

  const asked = questionFor(model.labels);
  if (asked !== null && asked !== question.textContent) {
    question.textContent = asked;
    document.title = `${asked} · Husky AI`;
  }

  if (model.name === undefined) return;
  const facts = [`Model ${model.name}`];
  if (model.version !== undefined) facts.push(`version ${model.version}`);
  if (model.signer !== undefined) facts.push(`signature of key ${model.signer.slice(0, SHORT)} verified`);
  served.textContent = facts.join(' · ');
  if (model.verifiedAt && facts.length > 2) {
    const time = document.createElement('time');
    time.dateTime = model.verifiedAt.toISOString();
    time.textContent = model.verifiedAt.toLocaleString();
    served.append(' ', time);
  }
  served.hidden = false;
}

/**
 * The command for this page's own address, with a button that copies it where the browser lets it.
 *
 * @param {{ command: HTMLElement, button: HTMLButtonElement }} parts
 */
export function showCommand({ command, button }) {
  const line = `curl -F file=@photo.jpg ${new URL('/api/predict', location.href)}`;
  command.textContent = line;
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(line);
      button.textContent = 'Copied';
    } catch {
      getSelection()?.selectAllChildren(command);
      button.textContent = 'Selected';
    }
    setTimeout(() => {
      button.textContent = 'Copy';
    }, COPIED);
  });
}

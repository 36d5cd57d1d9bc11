/** Wires the page: a picked photo goes to its card and to the API; the newest photo wins. */

import { Card } from './card.js';
import { followPointer, setMood } from './husky.js';
import { onPick } from './pick.js';
import { UploadFailed } from './problem.js';
import { showCommand, showServed } from './served.js';
import { predict } from './upload.js';
import { verdictOf } from './verdict.js';

const husky = find('husky', SVGElement);
const choose = find('choose', HTMLElement);
const notice = find('notice', HTMLElement);
const card = new Card(find('card', HTMLElement), () => photo && look(photo));

/** @type {File | undefined} */
let photo;
let upload = new AbortController();
/** @type {Parameters<typeof setMood>[1]} */
let mood = 'idle';

/** @param {File} file */
async function look(file) {
  upload.abort();
  upload = new AbortController();
  const { signal } = upload;
  photo = file;
  notice.textContent = '';
  choose.textContent = 'Try another photo';
  document.body.dataset.photo = '';
  card.showPhoto(file);
  card.showProgress(0);
  feel('looking');
  try {
    const answer = await predict(file, { signal, onProgress: (sent) => card.showProgress(sent) });
    const verdict = verdictOf(answer);
    card.showVerdict(verdict);
    feel(verdict.mood);
  } catch (reason) {
    if (signal.aborted) return;
    card.showProblem(reason instanceof UploadFailed ? reason.problem : { code: 'unexpected' });
    feel('problem');
  }
}

/** @param {typeof mood} next */
function feel(next) {
  mood = next;
  setMood(husky, next);
}

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function find(id, type) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`the page has no #${id}`);
}

onPick({
  input: find('file', HTMLInputElement),
  onPhoto: look,
  onNothing: () => {
    notice.textContent = 'That was not a photo. Drop or paste a picture file.';
  },
  onDrag: (isOver) => {
    document.body.toggleAttribute('data-drag', isOver);
    setMood(husky, isOver ? 'alert' : mood);
  },
});
followPointer(husky);
showCommand({ command: find('curl', HTMLElement), button: find('copy', HTMLButtonElement) });
showServed({ served: find('served', HTMLElement), question: find('question', HTMLElement) });

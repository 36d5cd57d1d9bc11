import { words } from '../words.js';
import { decideVerdict } from './verdict.js';

/** @import { Photo } from '../photos/album.js' */

/** A classifier may know a thousand labels; the summary counts the most frequent by name. */
const MAX_GROUPS = 5;

const ALL = words.all;
const FAILED = words.failed;

/**
 * @typedef {object} SummaryParts
 * @property {HTMLElement} summary
 * @property {HTMLElement} tally
 * @property {HTMLElement} progress
 * @property {HTMLElement} filters
 * @property {HTMLSelectElement} order
 * @property {HTMLButtonElement} retry
 * @property {HTMLElement} list
 */

/** Sums up many photos: counts them by verdict, filters them and sorts their cards. */
export class Summary {
  #parts;
  #shown = ALL;
  /** @type {readonly Photo[]} */
  #photos = [];
  #labels;

  /**
   * @param {SummaryParts} parts
   * @param {() => readonly string[]} labels returns the labels of the model
   */
  constructor(parts, labels) {
    this.#parts = parts;
    this.#labels = labels;
    parts.order.addEventListener('change', () => this.#sort());
    parts.filters.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest('button') : null;
      if (!button) return;
      this.#shown = button.value;
      this.show(this.#photos);
    });
  }

  /** @param {readonly Photo[]} photos */
  show(photos) {
    this.#photos = photos;
    const { summary, tally, progress, retry } = this.#parts;
    const groups = this.#groups();
    if (!groups.has(this.#shown)) this.#shown = ALL;
    summary.hidden = photos.length < 2;
    tally.textContent = this.sentence();
    const left = photos.filter(isPending).length;
    progress.hidden = left === 0;
    progress.setAttribute('aria-valuenow', String(photos.length - left));
    progress.setAttribute('aria-valuemax', String(photos.length));
    progress.style.setProperty('--part', String(1 - left / photos.length));
    const again = photos.filter(({ problem }) => problem && !problem.isPhotoAtFault).length;
    retry.hidden = again < 2;
    retry.textContent = words.retry(again);
    this.#showFilters(groups);
    for (const photo of photos) {
      photo.card.element.hidden = this.#shown !== ALL && this.#groupOf(photo) !== this.#shown;
    }
    this.#sort();
  }

  /** Returns a sentence such as "12 photos: 7 husky, 4 not husky, 1 failed". */
  sentence() {
    const photos = this.#photos;
    const done = photos.filter((photo) => !isPending(photo)).length;
    const groups = [...this.#groups()].filter(([group]) => group !== ALL);
    return words.tally(done, photos.length, groups);
  }

  /** @returns {Map<string, number>} the number of photos under each filter, the largest groups first */
  #groups() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const photo of this.#photos) {
      const group = this.#groupOf(photo);
      if (group) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    const failed = counts.get(FAILED);
    counts.delete(FAILED);
    const largest = [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_GROUPS);
    /** @type {[group: string, count: number][]} */
    const all = [[ALL, this.#photos.length], ...largest];
    return new Map(failed ? [...all, [FAILED, failed]] : all);
  }

  /** @param {Photo} photo */
  #groupOf({ answer, problem }) {
    if (problem) return FAILED;
    return answer && decideVerdict(answer, this.#labels()).group;
  }

  /** @param {Map<string, number>} groups */
  #showFilters(groups) {
    const { filters } = this.#parts;
    /** @type {Map<string, HTMLButtonElement>} */
    const known = new Map(Array.from(filters.querySelectorAll('button'), (each) => [each.value, each]));
    const buttons = Array.from(groups, ([group, count]) => {
      const button = known.get(group) ?? document.createElement('button');
      known.delete(group);
      button.type = 'button';
      button.value = group;
      button.className = 'chip';
      button.setAttribute('aria-pressed', String(group === this.#shown));
      button.textContent = `${words.capitalise(group)} ${count}`;
      return button;
    });
    for (const button of known.values()) button.remove();
    filters.hidden = buttons.length < 2;
    arrange(filters, buttons, [...filters.querySelectorAll('button')]);
  }

  /** Sorts the cards as selected. */
  #sort() {
    const { list, order } = this.#parts;
    const direction = { added: 0, highest: -1, lowest: 1 }[order.value] ?? 0;
    // Photos without a score come last in either direction.
    const last = direction < 0 ? -1 : 2;
    const scoreOf = (/** @type {Photo} */ { answer }) => answer?.score ?? last;
    const sorted = this.#photos.toSorted((a, b) => direction * (scoreOf(a) - scoreOf(b)));
    arrange(
      list,
      Array.from(sorted, ({ card }) => card.element),
      [...list.children],
    );
  }
}

/**
 * Moves elements to the end of their parent unless they are already in order. Keeps the focus.
 *
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} elements
 * @param {readonly Element[]} present
 */
function arrange(parent, elements, present) {
  if (elements.every((element, index) => present[index] === element)) return;
  const focused = document.activeElement;
  parent.append(...elements);
  if (focused instanceof HTMLElement && focused !== document.activeElement) {
    focused.focus({ preventScroll: true });
  }
}

/** @param {Photo} photo */
const isPending = ({ answer, problem }) => !answer && !problem;

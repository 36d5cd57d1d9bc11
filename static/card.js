/** The card of one photo: preview, upload progress, then verdict or problem. */

import { explain } from './problem.js';
import { percent } from './verdict.js';

/**
 * @import { Problem } from './problem.js'
 * @import { Verdict } from './verdict.js'
 */

/** How long an answer may take before the card says why (milliseconds). */
const PATIENCE = 3000;

export class Card {
  #root;
  #previewUrl = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #impatience;

  /**
   * @param {HTMLElement} root
   * @param {() => void} onRetry
   */
  constructor(root, onRetry) {
    this.#root = root;
    this.#part('.retry').addEventListener('click', onRetry);
    const preview = this.#preview();
    preview.addEventListener('error', () => this.#showPreview(false));
    preview.addEventListener('load', () => this.#showPreview(true));
  }

  /** @param {File} file */
  showPhoto(file) {
    URL.revokeObjectURL(this.#previewUrl);
    this.#previewUrl = URL.createObjectURL(file);
    this.#preview().src = this.#previewUrl;
    this.#root.hidden = false;
    this.#root.scrollIntoView({ block: 'nearest' });
  }

  /** @param {number} sent the part sent, 0 to 1 */
  showProgress(sent) {
    const bar = this.#part('.progress');
    fill(bar, sent);
    if (sent < 1) {
      bar.setAttribute('aria-valuenow', String(Math.round(sent * 100)));
      this.#enter('sending', 'Sending…');
    } else if (this.#root.dataset.state !== 'looking') {
      bar.removeAttribute('aria-valuenow');
      this.#enter('looking', 'Looking…');
      this.#impatience = setTimeout(() => {
        this.#part('.explanation').textContent =
          'The model may be waking up: its first photo takes some seconds.';
      }, PATIENCE);
    }
  }

  /** @param {Verdict} verdict */
  showVerdict({ mood, headline, score, scoreName, threshold, bars }) {
    this.#enter(mood, headline);
    if (score !== undefined) this.#showNumber(score, scoreName);
    if (score !== undefined && bars.length === 0) this.#showBar(score, threshold);
    this.#part('.scores').hidden = bars.length === 0;
    this.#part('.scores').replaceChildren(...bars.map(scoreRow));
    this.#part('.outcome').scrollIntoView({ block: 'nearest' });
  }

  /** @param {Problem} problem */
  showProblem(problem) {
    const { headline, advice, mayPass } = explain(problem);
    this.#enter('problem', headline);
    this.#part('.explanation').textContent = advice;
    this.#part('.detail').textContent = problem.detail ? `The service says: ${problem.detail}` : '';
    this.#part('.retry').hidden = !mayPass;
    this.#part('.outcome').scrollIntoView({ block: 'nearest' });
  }

  /**
   * Starts a state from a blank card, so that nothing of the one before is left.
   *
   * @param {string} state
   * @param {string} headline
   */
  #enter(state, headline) {
    clearTimeout(this.#impatience);
    if (this.#root.dataset.state === state) return;
    const isUnderway = state === 'sending' || state === 'looking';
    this.#root.dataset.state = state;
    this.#part('.headline').textContent = headline;
    this.#part('.explanation').textContent = '';
    this.#part('.detail').textContent = '';
    this.#part('.progress').hidden = !isUnderway;
    for (const part of ['.number', '.score', '.threshold-label', '.scores', '.retry']) {
      this.#part(part).hidden = true;
    }
  }

  /**
   * @param {number} score
   * @param {string} name
   */
  #showNumber(score, name) {
    this.#part('.number').hidden = false;
    this.#part('.number strong').textContent = percent(score);
    this.#part('.number span').textContent = name;
  }

  /**
   * @param {number} score
   * @param {number | null} threshold
   */
  #showBar(score, threshold) {
    const bar = this.#part('.score');
    bar.hidden = false;
    fill(bar, score);

    const label = this.#part('.threshold-label');
    this.#part('.threshold').hidden = label.hidden = threshold === null;
    if (threshold === null) return;
    this.#root.style.setProperty('--threshold', String(threshold));
    label.textContent = `yes above ${percent(threshold).replace('.0', '')}`;
  }

  /** @param {boolean} isVisible */
  #showPreview(isVisible) {
    this.#preview().hidden = !isVisible;
    this.#part('.no-preview').hidden = isVisible;
  }

  /** @returns {HTMLImageElement} */
  #preview() {
    const preview = this.#part('.preview');
    if (preview instanceof HTMLImageElement) return preview;
    throw new TypeError('.preview is no image');
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #part(selector) {
    const part = this.#root.querySelector(selector);
    if (part instanceof HTMLElement) return part;
    throw new TypeError(`the card has no ${selector}`);
  }
}

/**
 * @param {HTMLElement} bar
 * @param {number} part 0 to 1
 */
function fill(bar, part) {
  bar.style.setProperty('--part', String(part));
}

/** @param {import('./answer.js').Score} entry */
function scoreRow({ label, score }) {
  const row = document.createElement('li');
  const name = document.createElement('span');
  name.textContent = label;
  const number = document.createElement('span');
  number.textContent = percent(score);
  const bar = document.createElement('span');
  bar.className = 'bar';
  bar.ariaHidden = 'true';
  const filled = document.createElement('span');
  filled.className = 'fill';
  bar.append(filled);
  fill(bar, score);
  row.append(name, number, bar);
  return row;
}

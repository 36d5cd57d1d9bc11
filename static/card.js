/** The card of one photo: preview, upload progress, then verdict or problem. */

import { describeHeatmap, drawHeatmap } from './heatmap.js';
import { percent } from './verdict.js';
import { explain } from './words.js';

/**
 * @import { Heatmap, ModelInfo } from '../src/api/schemas.ts'
 * @import { ApiProblem } from './problem.js'
 * @import { Prepared } from './reduce.js'
 * @import { Verdict } from './verdict.js'
 *
 * @typedef {'waiting' | 'preparing' | 'paused'} Stage
 */

/** How long an answer may take before the card says why (milliseconds). */
const PATIENCE = 3000;

/** @type {Record<Stage, string>} */
const STAGES = {
  waiting: 'Waiting its turn…',
  preparing: 'Getting it ready…',
  paused: 'Waiting, as the service asks…',
};

const ORIGINAL = 'Your browser could not make this one smaller, so the file was sent as it is.';

let cards = 0;

export class Card {
  /** What stands in the list. */
  element;
  #root;
  #previewUrl = '';
  #isOriginal = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #impatience;

  /**
   * @param {HTMLTemplateElement} template
   * @param {object} options
   * @param {string} options.name
   * @param {() => void} options.onRetry
   * @param {() => void} options.onRemove
   */
  constructor(template, { name, onRetry, onRemove }) {
    const item = template.content.firstElementChild?.cloneNode(true);
    const root = item instanceof HTMLElement ? item.firstElementChild : null;
    if (!(item instanceof HTMLElement && root instanceof HTMLElement))
      throw new TypeError('the page has no card');
    this.element = item;
    this.#root = root;
    const id = `photo-${++cards}`;
    const label = this.#part('.name');
    label.id = id;
    label.textContent = name;
    root.setAttribute('aria-labelledby', id);
    this.#part('.retry').addEventListener('click', onRetry);
    this.#part('.remove').addEventListener('click', onRemove);
    this.#part('.remove').setAttribute('aria-label', `Remove ${name}`);
    this.#part('.retry').setAttribute('aria-describedby', id);
    const preview = this.#preview();
    preview.alt = `Preview of ${name}`;
    preview.addEventListener('error', () => this.#showPreview(false));
    preview.addEventListener('load', () => this.#showPreview(true));
    this.showStage('waiting');
  }

  /** @param {Prepared} prepared */
  showPhoto({ photo, isOriginal }) {
    this.#isOriginal = isOriginal;
    this.#forgetPreview();
    this.#previewUrl = URL.createObjectURL(photo);
    this.#preview().src = this.#previewUrl;
  }

  /** @param {Stage} stage */
  showStage(stage) {
    this.#enter(stage, STAGES[stage]);
    fill(this.#part('.progress'), 0);
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

  /**
   * @param {Verdict} verdict
   * @param {ModelInfo['service']['score']} told how exactly the service tells scores
   */
  showVerdict({ mood, headline, score, scoreName, threshold, bars }, told) {
    this.#enter(mood, headline);
    this.#part('.explanation').textContent =
      score === undefined ? 'This service tells its verdict only, not how sure it is.' : '';
    this.#part('.detail').textContent = this.#isOriginal ? ORIGINAL : '';
    if (score !== undefined) this.#showNumber(percent(score, told), scoreName);
    if (score !== undefined && bars.length === 0) this.#showBar(score, threshold);
    this.#part('.scores').hidden = bars.length === 0;
    this.#part('.scores').replaceChildren(...bars.map((bar) => scoreRow(bar, told)));
  }

  /** @param {ApiProblem} problem */
  showProblem(problem) {
    const { headline, advice, mayPass } = explain(problem);
    this.#enter('problem', headline);
    this.#part('.explanation').textContent = advice;
    this.#part('.detail').textContent = problem.detail ? `The service says: ${problem.detail}` : '';
    this.#part('.retry').hidden = !mayPass;
    if (!this.#previewUrl) this.#showPreview(false);
  }

  /**
   * Lays the map over the photo; whether it is seen is for the page's switch to say.
   *
   * @param {Heatmap | null} map null: there is none for this photo
   * @param {string} label what the map is about
   */
  showHeatmap(map, label) {
    const canvas = this.#part('.heat');
    if (map && canvas instanceof HTMLCanvasElement) drawHeatmap(canvas, map);
    canvas.hidden = map === null;
    this.#part('.heat-words').textContent = map
      ? describeHeatmap(map, label)
      : 'There is no heat map for this photo.';
  }

  /** @param {string} text what is to say while the map is not there */
  sayOfHeatmap(text) {
    this.#part('.heat-words').textContent = text;
  }

  /** Takes the card off the page and gives back what it held. */
  remove() {
    clearTimeout(this.#impatience);
    this.#forgetPreview();
    this.element.remove();
  }

  /** Whether this or something in it has the focus. */
  get hasFocus() {
    return this.element.contains(document.activeElement);
  }

  focus() {
    this.#part('.remove').focus();
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
    const isUnderway = state in STAGES || state === 'sending' || state === 'looking';
    // The button that was just pressed is about to go.
    if (document.activeElement === this.#part('.retry')) this.focus();
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
   * @param {string} number
   * @param {string} name
   */
  #showNumber(number, name) {
    this.#part('.number').hidden = false;
    this.#part('.number strong').textContent = number;
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

  #forgetPreview() {
    if (this.#previewUrl) URL.revokeObjectURL(this.#previewUrl);
    this.#previewUrl = '';
  }

  /** @param {boolean} isVisible */
  #showPreview(isVisible) {
    this.#part('.frame').hidden = !isVisible;
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

/**
 * @param {import('./verdict.js').Score} entry
 * @param {ModelInfo['service']['score']} told
 */
function scoreRow({ label, score }, told) {
  const row = document.createElement('li');
  const name = document.createElement('span');
  name.textContent = label;
  const number = document.createElement('span');
  number.textContent = percent(score, told);
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

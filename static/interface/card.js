import { words } from '../words.js';
import { describeHeatmap, drawHeatmap } from './heatmap.js';

/**
 * @import { Heatmap, ModelInfo } from '../../src/api/schemas.ts'
 * @import { ApiProblem } from '../client/problem.js'
 * @import { Prepared } from '../photos/prepare.js'
 * @import { Margins } from './crop.js'
 * @import { Score, Verdict } from './verdict.js'
 */

/** Labels that are shown at once; the others are folded away. */
const MAX_BARS = 5;

/** Characters of a headline that fit in large type. */
const LONG_HEADLINE = 40;

/** Milliseconds without an answer before the card explains why. */
const PATIENCE_MS = 3000;

let cards = 0;

/** The card of one photo: its preview and upload, then its verdict or problem. */
export class Card {
  /** The list item. */
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
    if (!(item instanceof HTMLElement && root instanceof HTMLElement)) throw new TypeError('the page has no card');
    this.element = item;
    this.#root = root;
    const id = `photo-${++cards}`;
    const label = this.#part('.name');
    label.id = id;
    label.textContent = name;
    root.setAttribute('aria-labelledby', id);
    this.#part('.retry').addEventListener('click', onRetry);
    this.#part('.remove').addEventListener('click', onRemove);
    this.#part('.remove').setAttribute('aria-label', words.remove(name));
    this.#part('.retry').setAttribute('aria-describedby', id);
    const preview = this.#preview();
    preview.alt = words.preview(name);
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

  /** @param {'waiting' | 'preparing' | 'paused'} stage */
  showStage(stage) {
    this.#enter(stage, words.stages[stage]);
    fill(this.#part('.progress'), 0);
  }

  /** @param {number} sent the fraction uploaded, 0 to 1 */
  showProgress(sent) {
    const bar = this.#part('.progress');
    fill(bar, sent);
    if (sent < 1) {
      bar.setAttribute('aria-valuenow', String(Math.round(sent * 100)));
      this.#enter('sending', words.stages.sending);
    } else if (this.#root.dataset.state !== 'looking') {
      bar.removeAttribute('aria-valuenow');
      this.#enter('looking', words.stages.looking);
      this.#impatience = setTimeout(() => {
        this.#part('.explanation').textContent = words.wakingUp;
      }, PATIENCE_MS);
    }
  }

  /**
   * @param {Verdict} verdict
   * @param {ModelInfo['service']['score']} precision of the service's scores
   */
  showVerdict({ mood, headline, score, scoreName, threshold, bars }, precision) {
    this.#enter(mood, headline);
    this.#part('.explanation').textContent = score === undefined ? words.noScore : '';
    this.#part('.detail').textContent = this.#isOriginal ? words.sentAsIs : '';
    if (score !== undefined) this.#showNumber(words.percent(score, precision), scoreName);
    if (score !== undefined && bars.length === 0) this.#showBar(score, threshold);
    if (bars.length > 0) this.#showBars(bars, threshold, precision);
  }

  /** @param {ApiProblem} problem */
  showProblem(problem) {
    const { headline, advice } = words.problem(problem);
    this.#enter('problem', headline);
    this.#part('.explanation').textContent = advice;
    const { status, detail } = problem;
    this.#part('.detail').textContent = status && detail ? words.serviceSays(detail) : detail;
    this.#part('.retry').hidden = problem.isPhotoAtFault;
    if (!this.#previewUrl) this.#showPreview(false);
  }

  /**
   * Lays the map over the photo. The page's switch decides whether it is visible.
   *
   * @param {Heatmap | null} map null if the photo has none
   * @param {string} label the label that the map is evidence for
   * @param {Margins} margins the edges of the photo that the map does not cover
   */
  showHeatmap(map, label, { x, y }) {
    const canvas = this.#part('.heat');
    if (map && canvas instanceof HTMLCanvasElement) drawHeatmap(canvas, map);
    canvas.style.setProperty('--margin-x', `${x * 100}%`);
    canvas.style.setProperty('--margin-y', `${y * 100}%`);
    canvas.hidden = map === null;
    this.describeHeatmap(map ? describeHeatmap(map, label) : words.noHeatmap);
  }

  /** @param {string} text */
  describeHeatmap(text) {
    this.#part('.heat-words').textContent = text;
  }

  /** Removes the card from the page and frees its preview. */
  remove() {
    clearTimeout(this.#impatience);
    this.#forgetPreview();
    this.element.remove();
  }

  focus() {
    this.#part('.remove').focus();
  }

  /**
   * Enters a state with a blank card, so that nothing of the previous state remains.
   *
   * @param {string} state
   * @param {string} headline
   */
  #enter(state, headline) {
    clearTimeout(this.#impatience);
    if (this.#root.dataset.state === state) return;
    // Keep the focus on the card when the pressed button disappears.
    if (document.activeElement === this.#part('.retry')) this.focus();
    this.#root.dataset.state = state;
    this.#part('.headline').textContent = headline;
    this.#part('.headline').classList.toggle('long', headline.length > LONG_HEADLINE);
    this.#part('.explanation').textContent = '';
    this.#part('.detail').textContent = '';
    this.#part('.progress').hidden = !(state in words.stages);
    for (const part of ['.number', '.score', '.threshold-label', '.scores', '.more', '.retry']) {
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
    label.textContent = words.yesAbove(threshold);
  }

  /**
   * @param {readonly Score[]} bars
   * @param {number | null} threshold
   * @param {ModelInfo['service']['score']} precision
   */
  #showBars(bars, threshold, precision) {
    const rows = (/** @type {readonly Score[]} */ some) => some.map((bar) => scoreRow(bar, threshold, precision));
    if (threshold !== null) this.#root.style.setProperty('--threshold', String(threshold));
    this.#part('.scores').hidden = false;
    this.#part('.scores').replaceChildren(...rows(bars.slice(0, MAX_BARS)));
    const others = bars.slice(MAX_BARS);
    const more = this.#part('.more');
    more.hidden = others.length === 0;
    more.removeAttribute('open');
    this.#part('.more summary').textContent = words.moreLabels(others.length);
    this.#part('.others').replaceChildren();
    // A thousand rows, for each of a hundred photos: only for whoever wants to see them.
    more.ontoggle = () => {
      if (this.#part('.others').childElementCount === 0) this.#part('.others').append(...rows(others));
    };
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
    throw new TypeError("the card's .preview is not an image");
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
 * @param {Score} entry
 * @param {number | null} threshold above which the label applies, if labels are independent
 * @param {ModelInfo['service']['score']} precision
 */
function scoreRow({ label, score }, threshold, precision) {
  const row = document.createElement('li');
  row.classList.toggle('below', threshold !== null && score <= threshold);
  const name = document.createElement('span');
  name.textContent = label;
  const number = document.createElement('span');
  number.textContent = words.percent(score, precision);
  const bar = document.createElement('span');
  bar.className = 'bar';
  bar.ariaHidden = 'true';
  const filled = document.createElement('span');
  filled.className = 'fill';
  bar.append(filled);
  fill(bar, score);
  if (threshold !== null) {
    const mark = document.createElement('span');
    mark.className = 'threshold';
    bar.append(mark);
  }
  row.append(name, number, bar);
  return row;
}

/** All photos on the page, each on its own way: made small, sent, answered; one that fails holds up no other. */

import { createLane } from './lane.js';
import { sendPatiently } from './patience.js';
import { ApiProblem } from './problem.js';
import { prepare } from './reduce.js';

/**
 * @import { Prediction } from '../src/api/schemas.ts'
 * @import { Card } from './card.js'
 * @import { Client } from './client.js'
 * @import { Prepared } from './reduce.js'
 *
 * @typedef {object} Photo
 * @property {string} name
 * @property {Card} card
 * @property {File | undefined} file let go once it is prepared
 * @property {Prepared | undefined} prepared
 * @property {Prediction | undefined} answer
 * @property {ApiProblem | undefined} problem
 * @property {boolean} isUnderway
 * @property {AbortController} work
 *
 * @typedef {object} AlbumOptions
 * @property {(photo: Photo) => Card} makeCard
 * @property {() => Client} client the client to use for the next request; may throw what stands against asking
 * @property {ReturnType<typeof import('./pause.js').createPause>} pause
 * @property {() => boolean} wantsHeatmap
 * @property {(photo: Photo) => void} onAnswer an answer came: to show it is the page's part
 * @property {(photo: Photo) => void} onProblem it failed, as `problem` says
 * @property {() => void} onChange the photos, or what is known of them, have changed
 */

/** Photos sent at a time: what a browser keeps connections for, and what an isolate answers without a queue. */
const SENT_AT_ONCE = 3;

export class Album {
  /** @type {Photo[]} the newest first */
  photos = [];
  #options;
  // One decoded photo at a time is all that a phone has memory for.
  #preparing = createLane(1);
  #sending = createLane(SENT_AT_ONCE);

  /** @param {AlbumOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Puts photos before those that are there, in their order, and sets them on their way.
   *
   * @param {readonly File[]} files
   * @returns {Photo[]}
   */
  add(files) {
    const added = files.map((file) => {
      const work = new AbortController();
      const photo = /** @type {Photo} */ ({ name: file.name || 'Photo', file, work, isUnderway: true });
      photo.card = this.#options.makeCard(photo);
      return photo;
    });
    this.photos = [...added, ...this.photos];
    for (const photo of added) this.#look(photo);
    this.#options.onChange();
    return added;
  }

  /**
   * Once more, for photos that have failed.
   *
   * @param {(photo: Photo, problem: ApiProblem) => boolean} [which]
   */
  retry(which = () => true) {
    for (const photo of this.photos) {
      if (photo.problem && !photo.isUnderway && which(photo, photo.problem)) this.#look(photo);
    }
    this.#options.onChange();
  }

  /**
   * Takes photos away, and stops whatever is under way for them.
   *
   * @param {(photo: Photo) => boolean} [which]
   */
  remove(which = () => true) {
    for (const photo of this.photos.filter(which)) {
      photo.work.abort();
      photo.card.remove();
    }
    this.photos = this.photos.filter((photo) => !which(photo));
    this.#options.onChange();
  }

  /**
   * Asks for the heat map of a photo that was answered without one.
   *
   * @param {Photo} photo
   */
  async askHeatmap(photo) {
    const { answer, card } = photo;
    if (!answer || answer.heatmap !== undefined || photo.isUnderway) return;
    photo.isUnderway = true;
    card.sayOfHeatmap('Asking for the heat map…');
    try {
      photo.answer = await this.#ask(photo, true);
      this.#options.onAnswer(photo);
    } catch {
      if (photo.work.signal.aborted) return;
      card.sayOfHeatmap('The heat map could not be had. Switch it off and on to try again.');
    } finally {
      photo.isUnderway = false;
    }
  }

  /** @param {Photo} photo */
  async #look(photo) {
    const { card, work } = photo;
    const { wantsHeatmap, onAnswer, onProblem, onChange } = this.#options;
    photo.isUnderway = true;
    photo.problem = photo.answer = undefined;
    card.showStage('waiting');
    try {
      photo.prepared ??= await this.#prepare(photo);
      photo.file = undefined;
      card.showStage('waiting');
      card.showPhoto(photo.prepared);
      photo.answer = await this.#ask(photo, wantsHeatmap(), (sent) => card.showProgress(sent));
    } catch (reason) {
      if (work.signal.aborted) return;
      photo.problem = reason instanceof ApiProblem ? reason : new ApiProblem({ code: 'unexpected' });
    }
    photo.isUnderway = false;
    if (photo.problem) onProblem(photo);
    else onAnswer(photo);
    onChange();
  }

  /** @param {Photo} photo */
  #prepare({ card, file, work }) {
    return this.#preparing(() => {
      card.showStage('preparing');
      return prepare(file ?? new Blob());
    }, work.signal);
  }

  /**
   * @param {Photo} photo
   * @param {boolean} heatmap
   * @param {(sent: number) => void} [onProgress]
   * @returns {Promise<Prediction>}
   */
  #ask({ card, prepared, work }, heatmap, onProgress) {
    const { client, pause } = this.#options;
    const { signal } = work;
    const body = prepared?.photo ?? new Blob();
    const send = () => {
      onProgress?.(0);
      return client().predict(body, { signal, heatmap, ...(onProgress && { onProgress }) });
    };
    const onWait = () => onProgress && card.showStage('paused');
    return this.#sending(() => sendPatiently(send, pause, onWait), signal);
  }
}

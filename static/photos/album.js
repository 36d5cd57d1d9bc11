import { ApiProblem } from '../client/problem.js';
import { words } from '../words.js';
import { createLane } from './lane.js';

/**
 * @import { Prediction } from '../../src/api/schemas.ts'
 * @import { Client } from '../client/client.js'
 * @import { Card } from '../interface/card.js'
 * @import { Patience } from './patience.js'
 * @import { Prepared } from './prepare.js'
 *
 * @typedef {object} Photo
 * @property {string} name
 * @property {Card} card
 * @property {File | undefined} file released once prepared
 * @property {Prepared | undefined} prepared
 * @property {Prediction | undefined} answer
 * @property {ApiProblem | undefined} problem
 * @property {boolean} isBusy a request is queued or running
 * @property {AbortController} work
 *
 * @typedef {object} AlbumOptions
 * @property {(photo: Photo) => Card} makeCard
 * @property {() => Client} client returns the client for the next request; throws if no request can succeed
 * @property {(file: Blob) => Promise<Prepared>} prepare
 * @property {Patience} patience
 * @property {() => boolean} wantsHeatmap
 * @property {(photo: Photo) => void} onAnswer
 * @property {(photo: Photo) => void} onProblem
 * @property {() => void} onChange the list of photos or the state of one has changed
 */

/** As many as a browser keeps connections for, and an isolate answers without a queue. */
const MAX_REQUESTS = 3;

/** All photos on the page. Each is prepared, sent and answered on its own: a failure holds up no other. */
export class Album {
  /** @type {Photo[]} newest first */
  photos = [];
  #options;
  // A phone has memory for one decoded photo at a time.
  #preparing = createLane(1);
  #sending = createLane(MAX_REQUESTS);

  /** @param {AlbumOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Inserts photos before the present ones, keeping their order, and starts scoring them.
   *
   * @param {readonly File[]} files
   * @returns {Photo[]}
   */
  add(files) {
    const added = files.map((file) => {
      const work = new AbortController();
      const name = file.name || words.unnamedPhoto;
      const photo = /** @type {Photo} */ ({ name, file, work, isBusy: true });
      photo.card = this.#options.makeCard(photo);
      return photo;
    });
    this.photos = [...added, ...this.photos];
    for (const photo of added) this.#score(photo);
    this.#options.onChange();
    return added;
  }

  /**
   * Scores failed photos again.
   *
   * @param {(photo: Photo, problem: ApiProblem) => boolean} matches
   */
  retry(matches) {
    for (const photo of this.photos) {
      if (photo.problem && !photo.isBusy && matches(photo, photo.problem)) this.#score(photo);
    }
    this.#options.onChange();
  }

  /**
   * Removes photos and cancels their requests.
   *
   * @param {(photo: Photo) => boolean} [matches]
   */
  remove(matches = () => true) {
    for (const photo of this.photos.filter(matches)) {
      photo.work.abort();
      photo.card.remove();
    }
    this.photos = this.photos.filter((photo) => !matches(photo));
    this.#options.onChange();
  }

  /**
   * Requests the heat map of a photo that was scored without one.
   *
   * @param {Photo} photo
   */
  async loadHeatmap(photo) {
    const { answer, card } = photo;
    if (!answer || answer.heatmap !== undefined || photo.isBusy) return;
    photo.isBusy = true;
    card.describeHeatmap(words.loadingHeatmap);
    try {
      photo.answer = await this.#send(photo, true);
      this.#options.onAnswer(photo);
    } catch {
      if (photo.work.signal.aborted) return;
      card.describeHeatmap(words.heatmapFailed);
    } finally {
      photo.isBusy = false;
    }
  }

  /** @param {Photo} photo */
  async #score(photo) {
    const { card, work } = photo;
    const { wantsHeatmap, onAnswer, onProblem, onChange } = this.#options;
    photo.isBusy = true;
    photo.problem = photo.answer = undefined;
    card.showStage('waiting');
    try {
      photo.prepared ??= await this.#prepare(photo);
      photo.file = undefined;
      card.showStage('waiting');
      card.showPhoto(photo.prepared);
      photo.answer = await this.#send(photo, wantsHeatmap(), (sent) => card.showProgress(sent));
    } catch (reason) {
      if (work.signal.aborted) return;
      photo.problem = reason instanceof ApiProblem ? reason : new ApiProblem({ code: 'unexpected' });
    }
    photo.isBusy = false;
    if (photo.problem) onProblem(photo);
    else onAnswer(photo);
    onChange();
  }

  /** @param {Photo} photo */
  #prepare({ card, file, work }) {
    return this.#preparing(() => {
      card.showStage('preparing');
      return this.#options.prepare(file ?? new Blob());
    }, work.signal);
  }

  /**
   * @param {Photo} photo
   * @param {boolean} heatmap
   * @param {(sent: number) => void} [onProgress]
   * @returns {Promise<Prediction>}
   */
  #send({ card, prepared, work }, heatmap, onProgress) {
    const { client, patience } = this.#options;
    const { signal } = work;
    const body = prepared?.photo ?? new Blob();
    const send = () => {
      onProgress?.(0);
      return client().predict(body, { signal, heatmap, ...(onProgress && { onProgress }) });
    };
    const onWait = () => onProgress && card.showStage('paused');
    return this.#sending(() => patience.send(send, onWait), signal);
  }
}

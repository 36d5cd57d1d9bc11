/** Connects the parts of the page. */

import { createClient } from './client/client.js';
import { createAnnouncer } from './interface/announcer.js';
import { Card } from './interface/card.js';
import { createCommand } from './interface/command.js';
import { unseenMargins } from './interface/crop.js';
import { createHeatSwitch } from './interface/heat-switch.js';
import { followPointer } from './interface/husky.js';
import { showServed } from './interface/served.js';
import { Summary } from './interface/summary.js';
import { createToken } from './interface/token.js';
import { decideVerdict } from './interface/verdict.js';
import { Album } from './photos/album.js';
import { acceptFor } from './photos/formats.js';
import { createPatience } from './photos/patience.js';
import { onPick } from './photos/pick.js';
import { prepare } from './photos/prepare.js';
import { onSample } from './photos/samples.js';
import { words } from './words.js';

/**
 * @import { ModelInfo } from '../src/api/schemas.ts'
 * @import { Photo } from './photos/album.js'
 *
 * @typedef {'idle' | 'alert' | 'looking' | 'yes' | 'no' | 'other' | 'problem'} Mood
 */

const husky = find('husky', SVGElement);
const notice = find('notice', HTMLElement);
const pause = find('pause', HTMLElement);
const cards = find('cards', HTMLElement);
const file = find('file', HTMLInputElement);
const announce = createAnnouncer(find('news', HTMLElement));
const showCommand = createCommand({
  command: find('curl', HTMLElement),
  button: find('copy', HTMLButtonElement),
});

/** The husky reacts to the best of several verdicts. */
const BEST_FIRST = /** @type {const} */ (['yes', 'other', 'no', 'problem']);

/** @type {ModelInfo | undefined} */
let model;
/** @type {Mood} */
let mood = 'idle';

const token = createToken({
  form: find('token-form', HTMLFormElement),
  input: find('token', HTMLInputElement),
  hint: find('token-hint', HTMLElement),
  onChange: () => album.retry((_, { code }) => code === 'unauthorized'),
});

const patience = createPatience((left) => {
  if (pause.hidden && left > 0) announce(words.pause(left));
  pause.hidden = left === 0;
  pause.textContent = words.pause(left);
});

const heat = createHeatSwitch({
  tool: find('heat', HTMLElement),
  input: find('heat-switch', HTMLInputElement),
  onView(card) {
    const photo = album.photos.find(({ card: { element } }) => element === card);
    if (photo) album.loadHeatmap(photo);
  },
});

const summary = new Summary(
  {
    summary: find('summary', HTMLElement),
    tally: find('tally', HTMLElement),
    progress: find('overall', HTMLElement),
    filters: find('filters', HTMLElement),
    order: find('order', HTMLSelectElement),
    retry: find('retry', HTMLButtonElement),
    list: cards,
  },
  () => model?.labels ?? [],
);

const formats = () => model?.service.formats;

const album = new Album({
  makeCard: (photo) =>
    new Card(find('card', HTMLTemplateElement), {
      name: photo.name,
      onRetry: () => album.retry((each) => each === photo),
      onRemove: () => remove(photo),
    }),
  client: () => {
    const key = token.get();
    return createClient(key ? { token: key } : {});
  },
  prepare: (file) => prepare(file, formats()),
  patience,
  wantsHeatmap: heat.isOn,
  onAnswer: showAnswer,
  onProblem: showProblem,
  onChange: showAll,
});

/** @param {Photo} photo */
function showAnswer({ answer, card, name }) {
  if (!answer) return;
  const precision = model?.service.score ?? 'full';
  const verdict = decideVerdict(answer, model?.labels);
  const { headline, score, scoreName, evidence } = verdict;
  card.showVerdict(verdict, precision);
  if (answer.heatmap !== undefined) {
    card.showHeatmap(answer.heatmap, evidence, unseenMargins(answer.image, model?.input));
  }
  const spoken = score === undefined ? '' : `${words.percent(score, precision)} ${scoreName}`;
  report(words.spokenVerdict(name, headline, spoken));
}

/** @param {Photo} photo */
function showProblem({ card, name, problem }) {
  if (!problem) return;
  if (problem.code === 'unauthorized') token.refuse();
  card.showProblem(problem);
  report(words.spokenProblem(name, words.problem(problem)));
}

/** Announces the outcome of a single photo, or the progress of many. @param {string} outcome */
function report(outcome) {
  summary.show(album.photos);
  announce(album.photos.length > 1 ? summary.sentence() : outcome);
}

function showAll() {
  const { photos } = album;
  if (photos.length === 0) delete document.body.dataset.photos;
  else document.body.dataset.photos = photos.length === 1 ? 'one' : 'many';
  find('choose', HTMLElement).textContent = photos.length === 0 ? words.choosePhotos : words.addPhotos;
  summary.show(photos);
  heat.watch(photos.map(({ card }) => card.element));
  mood = moodOf(photos);
  husky.dataset.mood = mood;
}

/**
 * @param {readonly Photo[]} photos
 * @returns {Mood}
 */
function moodOf(photos) {
  if (photos.length === 0) return 'idle';
  if (photos.some(({ answer, problem }) => !answer && !problem)) return 'looking';
  const moods = photos.map(({ answer }) => (answer ? decideVerdict(answer, model?.labels).mood : 'problem'));
  return BEST_FIRST.find((each) => moods.includes(each)) ?? 'idle';
}

/**
 * Removes a photo and moves the focus to its neighbour.
 *
 * @param {Photo} photo
 */
function remove(photo) {
  const { photos } = album;
  const index = photos.indexOf(photo);
  const next = photos[index + 1] ?? photos[index - 1];
  album.remove((each) => each === photo);
  if (next) next.card.focus();
  else file.focus();
  announce(words.removed(photo.name));
}

/** @param {readonly File[]} files */
function add(files) {
  const added = album.add(files);
  cards.prepend(...added.map(({ card }) => card.element));
  added[0]?.card.element.scrollIntoView({ block: 'nearest' });
}

/** @param {ModelInfo} served */
function showModel(served) {
  model = served;
  const { heatmap, service } = served;
  showServed(served, {
    served: find('served', HTMLElement),
    question: find('question', HTMLElement),
    source: find('source', HTMLAnchorElement),
  });
  find('formats', HTMLElement).textContent = words.accepted(service.formats.map(({ name }) => name));
  file.accept = acceptFor(service.formats);
  showCommand(service.token);
  if (service.token) token.require();
  if (heatmap) heat.show();
  for (const photo of album.photos) showAnswer(photo);
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
  inputs: [file, find('camera', HTMLInputElement)],
  formats,
  onPhotos(files, { others, beyond, limit }) {
    const skipped = [others > 0 && words.skippedFiles(others), beyond > 0 && words.skippedPhotos(beyond, limit)];
    notice.textContent = skipped.filter(Boolean).join(' ');
    add(files);
  },
  onNothing() {
    notice.textContent = words.notAPhoto;
  },
  onDrag(isOver) {
    document.body.toggleAttribute('data-drag', isOver);
    husky.dataset.mood = isOver ? 'alert' : mood;
  },
});
onSample(find('samples', HTMLElement), (sample) => add([sample]));
find('retry', HTMLButtonElement).addEventListener('click', () => album.retry((_, problem) => !problem.isPhotoAtFault));
find('clear', HTMLButtonElement).addEventListener('click', () => {
  album.remove();
  file.focus();
  announce(words.removedAll);
});
addEventListener('online', () => album.retry((_, { code }) => code === 'offline'));
followPointer(husky);
showCommand(false);

createClient()
  .model()
  .then(showModel, () => {
    // The page works without this answer; the first photo reports what is wrong.
  });

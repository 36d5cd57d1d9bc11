/** Wires the page: picked photos go to their cards and to the API. */

import { Album } from './album.js';
import { Card } from './card.js';
import { createClient } from './client.js';
import { createCommand } from './copy.js';
import { createHeatSwitch } from './heat-switch.js';
import { followPointer, setMood } from './husky.js';
import { createNews } from './news.js';
import { createPause } from './pause.js';
import { onPick } from './pick.js';
import { onSample } from './samples.js';
import { showServed } from './served.js';
import { Summary } from './summary.js';
import { createToken } from './token.js';
import { percent, verdictOf } from './verdict.js';
import { explain, seconds } from './words.js';

/**
 * @import { ModelInfo } from '../src/api/schemas.ts'
 * @import { Photo } from './album.js'
 */

const husky = find('husky', SVGElement);
const notice = find('notice', HTMLElement);
const pauseNotice = find('pause', HTMLElement);
const cards = find('cards', HTMLElement);
const file = find('file', HTMLInputElement);
const say = createNews(find('news', HTMLElement));
const showCommand = createCommand({
  command: find('curl', HTMLElement),
  button: find('copy', HTMLButtonElement),
});

/** Of many photos, the husky feels what the best of them makes it feel. */
const BEST_FIRST = /** @type {const} */ (['yes', 'other', 'no', 'problem']);

/** @type {ModelInfo | undefined} */
let model;
/** @type {Parameters<typeof setMood>[1]} */
let mood = 'idle';

const token = createToken({
  form: find('token-form', HTMLFormElement),
  input: find('token', HTMLInputElement),
  hint: find('token-hint', HTMLElement),
  onChange: () => album.retry((_, { code }) => code === 'unauthorized'),
});

const pause = createPause((left) => {
  if (pauseNotice.hidden && left > 0) say(`The service asks for a moment. It goes on in ${seconds(left)}.`);
  pauseNotice.hidden = left === 0;
  pauseNotice.textContent = `The service asks for a moment: it goes on by itself in ${seconds(left)}.`;
});

const heat = createHeatSwitch({
  tool: find('heat', HTMLElement),
  input: find('heat-switch', HTMLInputElement),
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
  pause,
  wantsHeatmap: () => heat.isOn(),
  onAnswer: showAnswer,
  onProblem: showProblem,
  onChange: showAll,
});
heat.of(album);

/** @param {Photo} photo */
function showAnswer(photo) {
  const { answer, card, name } = photo;
  if (!answer) return;
  const told = model?.service.score ?? 'full';
  const verdict = verdictOf(answer, model?.labels);
  card.showVerdict(verdict, told);
  if (answer.heatmap !== undefined) {
    card.showHeatmap(
      answer.heatmap,
      verdict.mood === 'other' ? verdict.group : (model?.labels[0] ?? verdict.group),
    );
  }
  const score = verdict.score === undefined ? '' : `, ${percent(verdict.score, told)} ${verdict.scoreName}`;
  tell(`${name}: ${verdict.headline}${score}`);
}

/** @param {Photo} photo */
function showProblem({ card, name, problem }) {
  if (!problem) return;
  if (problem.code === 'unauthorized') token.refuse();
  card.showProblem(problem);
  const { headline, advice } = explain(problem);
  tell(`${name}: ${headline}. ${advice}`);
}

/** Says what happened to one photo, or, of many, how far they are. @param {string} text */
function tell(text) {
  summary.show(album.photos);
  say(album.photos.length > 1 ? summary.sentence() : text);
}

function showAll() {
  const { photos } = album;
  document.body.dataset.photos = photos.length === 0 ? '' : photos.length === 1 ? 'one' : 'many';
  if (photos.length === 0) delete document.body.dataset.photos;
  find('choose', HTMLElement).textContent = photos.length === 0 ? 'Choose photos' : 'Add photos';
  summary.show(photos);
  heat.watch(photos);
  feel(moodOf(photos));
}

/**
 * @param {readonly Photo[]} photos
 * @returns {typeof mood}
 */
function moodOf(photos) {
  if (photos.length === 0) return 'idle';
  if (photos.some(({ answer, problem }) => !answer && !problem)) return 'looking';
  const moods = photos.map(({ answer }) => (answer ? verdictOf(answer, model?.labels).mood : 'problem'));
  return BEST_FIRST.find((each) => moods.includes(each)) ?? 'idle';
}

/** @param {typeof mood} next */
function feel(next) {
  mood = next;
  setMood(husky, next);
}

/**
 * The focus goes to the neighbour of the card that goes.
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
  say(`Removed ${photo.name}.`);
}

/** @param {readonly File[]} files */
function add(files) {
  const added = album.add(files);
  cards.prepend(...added.map(({ card }) => card.element));
  added[0]?.card.element.scrollIntoView({ block: 'nearest' });
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
  onPhotos: (files, { others, beyond }) => {
    const left = [
      ...(others > 0
        ? [`${others} ${others === 1 ? 'file was' : 'files were'} no picture and left out.`]
        : []),
      ...(beyond > 0
        ? [`${beyond} more ${beyond === 1 ? 'was' : 'were'} left out: ${files.length} at a time.`]
        : []),
    ];
    notice.textContent = left.join(' ');
    add(files);
  },
  onNothing: () => {
    notice.textContent = 'That was not a photo. Drop or paste a picture file.';
  },
  onDrag: (isOver) => {
    document.body.toggleAttribute('data-drag', isOver);
    setMood(husky, isOver ? 'alert' : mood);
  },
});
onSample(find('samples', HTMLElement), (sample) => add([sample]));
find('retry', HTMLButtonElement).addEventListener('click', () =>
  album.retry((_, problem) => explain(problem).mayPass),
);
find('clear', HTMLButtonElement).addEventListener('click', () => {
  album.remove();
  file.focus();
  say('Removed all photos.');
});
addEventListener('online', () => album.retry((_, { code }) => code === 'offline'));
followPointer(husky);
showCommand(false);

createClient()
  .model()
  .then((served) => {
    model = served;
    showServed(served, {
      served: find('served', HTMLElement),
      question: find('question', HTMLElement),
      source: find('source', HTMLAnchorElement),
    });
    showCommand(served.service.token);
    if (served.service.token) token.need();
    if (served.heatmap) heat.offer();
    for (const photo of album.photos) showAnswer(photo);
  })
  .catch(() => {
    // The page works without; what is wrong is told with the first photo.
  });

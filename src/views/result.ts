import { html } from 'hono/html';
import type { BatchEntry, Prediction, Problem } from '../api/schemas.ts';
import { layout, type Markup, words } from './layout.ts';

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const percent = (probability: number) => `${(probability * 100).toFixed(1)}%`;

/** The answer to a form submitted without scripts: the verdict or the problem of each photo. */
export function resultPage(entries: readonly BatchEntry[]): Markup {
  const [only] = entries;
  const title = entries.length === 1 && only && 'label' in only ? capital(titleOf(only)) : 'Your photos';
  const parts = entries.map((entry, index) => {
    const name = entries.length === 1 ? undefined : `Photo ${index + 1}`;
    return 'label' in entry ? verdict(entry, name) : failure(entry, name);
  });
  return layout(
    title,
    html`${entries.length === 1 ? '' : html`<h1>${title}</h1>`}
      ${parts}
      ${again}`,
  );
}

/** The problem of a whole request. */
export function problemPage(problem: Problem): Markup {
  return layout(problem.title, html`${failure(problem, undefined)} ${again}`);
}

const again = html`<p><a class="button" href="/">Try another photo</a></p>`;

/** Labels that are shown at once; the others are folded away. */
const MAX_ROWS = 5;

function verdict(prediction: Prediction, name: string | undefined): Markup {
  const { score, scores = [], threshold, image, model } = prediction;
  const title = capital(titleOf(prediction));
  const heading = name ? html`<h2>${name}: ${title}</h2>` : html`<h1>${title}</h1>`;
  return html`<section class="answer">
    ${heading}
    ${score === undefined ? '' : probabilities('Probabilities', scores.slice(0, MAX_ROWS))}
    ${
      scores.length > MAX_ROWS
        ? html`<details>
            <summary>All ${scores.length.toLocaleString('en')} labels</summary>
            ${probabilities('All probabilities', scores)}
          </details>`
        : ''
    }
    <p>
      ${threshold === null || score === undefined ? '' : html`The threshold is ${percent(threshold)}. `}
      ${image.format.toUpperCase()}, ${image.width} × ${image.height} pixels.
      <a href="/docs/model">${model.name}</a> ${model.version}.
    </p>
  </section>`;
}

/** The verdict in words. Of independent labels, those that apply. */
function titleOf({ label, score, scores, threshold, independent }: Prediction): string {
  if (!independent || threshold === null || score === undefined) return label;
  const applying = (scores ?? []).filter((each) => each.score > threshold).map((each) => each.label);
  return applying.length === 0 ? 'no label' : applying.slice(0, MAX_ROWS).join(', ');
}

function probabilities(caption: string, scores: NonNullable<Prediction['scores']>): Markup {
  const rows = scores.map(
    (row) => html`<tr><th scope="row">${row.label}</th><td class="number">${percent(row.score)}</td></tr>`,
  );
  return html`<table><caption>${caption}</caption><tbody>${rows}</tbody></table>`;
}

function failure({ title, detail, code, requestId }: Problem, name: string | undefined): Markup {
  const heading = name ? html`<h2>${name}: ${title}</h2>` : html`<h1>${title}</h1>`;
  return html`<section class="answer problem">
    ${heading}
    <p>${words(detail)}</p>
    <p class="hint"><code>${code}</code>${requestId ? html` · request <code>${requestId}</code>` : ''}</p>
  </section>`;
}

import { html } from 'hono/html';
import type { ModelInfo } from '../api/schemas.ts';
import { layout, type Markup } from './layout.ts';

type Json = ReturnType<typeof JSON.parse>;

/** The card of the model that is served, from its manifest and its verification. */
export function modelPage(model: ModelInfo): Markup {
  const { labels, threshold, input, heatmap, verified, files, source, tools, metrics, service } = model;
  return layout(
    model.name,
    html`<h1>${model.name}</h1>
    <p class="lead">Version <code>${model.version}</code>, ${
      model.pinned ? 'pinned' : html`as channel <code>${model.channel}</code> says`
    }. Signature verified.</p>

    <section aria-labelledby="verified">
      <h2 id="verified">How it was verified</h2>
      <p>
        Before this isolate ran the model, it checked the signature over all of its files, each file’s SHA-256, and
        that the model answers its probes as it did when it was converted.
      </p>
      ${list([
        ['Signer', html`<code>${verified.signer}</code>`],
        ['Checked', html`<time datetime="${verified.at}">${verified.at}</time>`],
        ['Manifest, SHA-256', html`<code>${model.digest}</code>`],
      ])}
    </section>

    <section aria-labelledby="answers">
      <h2 id="answers">What it answers</h2>
      ${list([
        ['Labels', labels.join(', ')],
        [
          'Verdict',
          threshold === null
            ? 'the most probable label'
            : `“${labels[0]}” when its probability is above ${threshold}, else “${labels[1]}”`,
        ],
        ['Input', `${input.width} × ${input.height} pixels, resized with ${input.resampling}`],
        ['Heat map', heatmap ? `${heatmap.rows} × ${heatmap.columns}` : 'none'],
        ['Scores', SCORES[service.score]],
      ])}
    </section>

    ${metrics === null ? '' : measured(metrics)}

    <section aria-labelledby="origin">
      <h2 id="origin">What it was made from</h2>
      ${list([
        ...Object.entries(files).map(([name, file]) => [name, fileLine(file)] as const),
        [`Keras file ${source.file}`, fileLine(source)],
        ...Object.entries(tools),
      ])}
    </section>
    ${service.source === null ? '' : html`<p><a href="${service.source}">The source of this service</a></p>`}`,
  );
}

const SCORES: Record<ModelInfo['service']['score'], string> = {
  full: 'with six decimals',
  rounded: 'rounded to two decimals',
  label: 'not given out: the verdict alone',
};

type Row = readonly [name: string, value: string | Markup];

function list(rows: readonly Row[]): Markup {
  return html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function fileLine({ bytes, sha256 }: { bytes: number; sha256: string }): Markup {
  return html`${bytes.toLocaleString('en')} bytes, SHA-256 <code>${sha256}</code>`;
}

function measured(metrics: NonNullable<ModelInfo['metrics']>): Markup {
  return html`<section aria-labelledby="metrics">
    <h2 id="metrics">How well it does</h2>
    ${value(metrics)}
  </section>`;
}

/** Whatever was measured, which is the model’s own affair: objects as lists, other values as they are. */
function value(json: Json): Markup {
  if (Array.isArray(json)) return html`<ul>${json.map((item) => html`<li>${value(item)}</li>`)}</ul>`;
  if (typeof json === 'object' && json !== null) {
    return list(Object.entries(json).map(([name, item]) => [name.replaceAll('_', ' '), value(item)]));
  }
  return html`${typeof json === 'number' ? Number(json.toPrecision(6)) : String(json)}`;
}

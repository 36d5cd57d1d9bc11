import { html } from 'hono/html';
import type { ModelInfo } from '../api/schemas.ts';
import { layout, type Markup } from './layout.ts';

type Json = NonNullable<ModelInfo['metrics']>[string];

/** The card of the served model. */
export function modelPage(model: ModelInfo): Markup {
  const { labels, input, heatmap, verified, files, source, tools, metrics, service } = model;
  return layout(
    model.name,
    html`<h1>${model.name}</h1>
    <p class="lead">Version <code>${model.version}</code>, ${
      model.pinned ? 'pinned' : html`from channel <code>${model.channel}</code>`
    }${model.role === 'candidate' ? ', as a candidate' : ''}. Signature verified.</p>

    <section aria-labelledby="verified">
      <h2 id="verified">Verification</h2>
      <p>
        Before running the model, this isolate checked the signature over all of its files, the SHA-256 of each file, and
        that the model answers its probes as it did after conversion.
      </p>
      ${list([
        ['Signer', html`<code>${verified.signer}</code>`],
        ['Checked', html`<time datetime="${verified.at}">${verified.at}</time>`],
        ['Manifest, SHA-256', html`<code>${model.digest}</code>`],
      ])}
    </section>

    <section aria-labelledby="answers">
      <h2 id="answers">Answers</h2>
      ${list([
        ['Labels', listLabels(labels)],
        ['Verdict', describeVerdict(model)],
        ['Input', describeInput(input)],
        ['Heat map', heatmap ? `${heatmap.rows} × ${heatmap.columns}` : 'none'],
        ['Scores', SCORES[service.score]],
      ])}
    </section>

    ${metrics === null ? '' : renderMetrics(metrics)}

    <section aria-labelledby="origin">
      <h2 id="origin">Origin</h2>
      ${list([
        ...Object.entries(files).map(([name, file]) => [name, fileLine(file)] as const),
        [`Keras file ${source.file}`, fileLine(source)],
        ...Object.entries(tools),
      ])}
    </section>
    ${service.source === null ? '' : html`<p><a href="${service.source}">Source code of this service</a></p>`}`,
  );
}

const SCORES: Record<ModelInfo['service']['score'], string> = {
  full: 'with six decimals',
  rounded: 'rounded to two decimals',
  label: 'hidden: the label alone',
};

/** Labels beyond this many are folded away. */
const MAX_LABELS = 20;

function listLabels(labels: readonly string[]): string | Markup {
  if (labels.length <= MAX_LABELS) return labels.join(', ');
  return html`<details><summary>${labels.length.toLocaleString('en')} labels</summary>${labels.join(', ')}</details>`;
}

function describeVerdict({ labels, threshold, independent }: ModelInfo): string {
  if (threshold === null) return 'the most probable label';
  if (independent) return `each label whose probability is above ${threshold}: several, or none`;
  return `“${labels[0]}” if its probability is above ${threshold}, else “${labels[1]}”`;
}

function describeInput({ width, height, color, resize, resampling }: ModelInfo['input']): string {
  const grey = color === 'L' ? ' in grey' : '';
  const cropped = resize === 'fit' ? 'cropped at the centre and ' : '';
  return `${width} × ${height} pixels${grey}, ${cropped}resized with ${resampling}`;
}

type Row = readonly [name: string, value: string | Markup];

function list(rows: readonly Row[]): Markup {
  return html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function fileLine({ bytes, sha256 }: { bytes: number; sha256: string }): Markup {
  return html`${bytes.toLocaleString('en')} bytes, SHA-256 <code>${sha256}</code>`;
}

function renderMetrics(metrics: NonNullable<ModelInfo['metrics']>): Markup {
  return html`<section aria-labelledby="metrics">
    <h2 id="metrics">Metrics</h2>
    ${renderValue(metrics)}
  </section>`;
}

/** Metrics of any shape: objects as lists, other values as they are. */
function renderValue(json: Json): Markup {
  if (Array.isArray(json)) return html`<ul>${json.map((item) => html`<li>${renderValue(item)}</li>`)}</ul>`;
  if (typeof json === 'object' && json !== null) {
    return list(Object.entries(json).map(([name, item]) => [name.replaceAll('_', ' '), renderValue(item)]));
  }
  return html`${typeof json === 'number' ? Number(json.toPrecision(6)) : String(json)}`;
}

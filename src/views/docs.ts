import { html } from 'hono/html';
import type { ApiDocument } from '../api/document.ts';
import { PROBLEM_CODES, PROBLEMS } from '../api/problems.ts';
import { layout, type Markup, words } from './layout.ts';
import { isRecord, listOperations, type Operation } from './operations.ts';
import { schemaTable } from './schema.ts';

/** The API document as a page. */
export function docsPage(document: ApiDocument): Markup {
  const { info } = document;
  const operations = listOperations(document);
  const schemas = Object.entries(document.components?.schemas ?? {});
  return layout(
    'API',
    html`<h1>The API</h1>
    <p class="lead">${words(info.summary)}</p>
    <p>${words(info.description)}</p>
    <nav aria-label="On this page">
      <ul>
        ${operations.map(({ id, method, path }) => html`<li><a href="#${id}"><code>${method} ${path}</code></a></li>`)}
        <li><a href="#failures">Errors</a></li>
        <li><a href="#answers">Schemas</a></li>
      </ul>
    </nav>
    ${operations.map(section)}
    ${failures}
    <section aria-labelledby="answers">
      <h2 id="answers">Schemas</h2>
      ${schemas.map(
        ([name, schema]) => html`<section aria-labelledby="schema-${name}">
        <h3 id="schema-${name}">${name}</h3>
        ${schemaTable(schema)}
      </section>`,
      )}
    </section>`,
  );
}

function section({ id, method, path, summary, description, ...rest }: Operation): Markup {
  return html`<section class="operation" aria-labelledby="${id}">
    <h2 id="${id}">${summary}</h2>
    <p><code>${method} ${path}</code>${rest.needsToken ? html` <span class="hint">needs a token</span>` : ''}</p>
    <p>${words(description)}</p>
    ${
      rest.parameters.length === 0
        ? ''
        : html`<h3>Parameters</h3><dl>${rest.parameters.map(
            ({ name, values, about }) =>
              html`<div><dt><code>${name}</code> ${values}</dt><dd>${words(about)}</dd></div>`,
          )}</dl>`
    }
    ${
      rest.mediaTypes.length === 0
        ? ''
        : html`<h3>Body</h3><p>${rest.mediaTypes.map((type, index) => html`${index ? ', ' : ''}<code>${type}</code>`)}</p>`
    }
    ${rest.samples.length === 0 ? '' : html`<h3>Examples</h3>`}
    ${rest.samples.map(
      ({ label, source }) => html`<figure><figcaption>${label}</figcaption>
<pre tabindex="0"><code>${source}</code></pre></figure>`,
    )}
    <h3>Responses</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Responses of ${method} ${path}"><table>
      <thead><tr><th scope="col">Status</th><th scope="col">When</th><th scope="col">Headers</th></tr></thead>
      <tbody>${rest.responses.map(
        ({ status, about, headers }) => html`<tr><th scope="row">${status}</th><td>${about
          .split('; `')
          .map((part, index) => html`<p>${words(index ? `\`${part}` : part)}</p>`)}</td>
          <td>${headers.map((name) => html`<p><code>${name}</code></p>`)}</td></tr>`,
      )}</tbody>
    </table></div>
    ${rest.example === undefined ? '' : example(rest.example)}
  </section>`;
}

function example(value: unknown): Markup {
  const text = JSON.stringify(value, null, 2);
  return isRecord(value)
    ? html`<figure><figcaption>Example response</figcaption><pre tabindex="0"><code>${text}</code></pre></figure>`
    : html``;
}

const failures = html`<section aria-labelledby="failures">
  <h2 id="failures">Errors</h2>
  <p>An error is <code>application/problem+json</code> with <code>type</code>, <code>title</code>, <code>status</code>,
    <code>detail</code>, <code>requestId</code> and one of these codes:</p>
  <div class="scroll" tabindex="0" role="region" aria-label="Error codes"><table>
    <thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">When</th></tr></thead>
    <tbody>${PROBLEM_CODES.map(
      (code) =>
        html`<tr><th scope="row"><code>${code}</code></th><td>${PROBLEMS[code].status}</td><td>${words(PROBLEMS[code].when)}</td></tr>`,
    )}</tbody>
  </table></div>
</section>`;

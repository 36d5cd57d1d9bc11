import { html, raw } from 'hono/html';
import { COLOURS, renderChart } from '../bench/chart.ts';
import { BINS } from '../src/counted-answer.ts';
import type { Histogram, Share } from './counts.ts';
import { describeStability, formatCount, formatShare, type Report, type VersionReport } from './report.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #24292f; --paper: #fff; --line: #d0d7de; --alarm: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #d1d7e0; --paper: #0d1117; --line: #3d444d; --alarm: #ff8a80 } }
body { max-width: 880px; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: 0.15rem 1.5rem 0.15rem 0; text-align: left; font-weight: normal }
td { font-variant-numeric: tabular-nums; text-align: right } thead th { font-weight: bold }
svg { max-width: 100%; height: auto } .alarm { color: var(--alarm); font-weight: bold }
`;

/** The report as an HTML document without scripts or other files. */
export async function toPage({ period, versions, canary, alarms }: Report): Promise<string> {
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>What the model does in production</title>
<style>${raw(STYLE)}</style>
<h1>What the model does in production</h1>
<p>${period}</p>
${alarms.length === 0 ? html`<p>Nothing to report.</p>` : alarms.map((alarm) => html`<p class="alarm">${alarm}</p>`)}
${await Promise.all(versions.map(describeVersion))}
${
  canary &&
  html`<h2>Candidate and stable version</h2>
<p>${canary.candidate.version} against ${canary.stable.version}: ${describeStability(canary.stability)}</p>
${await drawScores('Scores of both versions', [
  ['stable', COLOURS.blue, canary.stable.scores],
  ['candidate', COLOURS.orange, canary.candidate.scores],
])}`
}
</html>
`;
  return String(await page);
}

async function describeVersion(version: VersionReport) {
  const { answers, points, failures, labels, scores, baseline, stability } = version;
  return html`<h2>${version.version || 'No model'}, ${version.role}</h2>
<p>${formatCount(answers)} answers${Math.round(answers) === points ? '' : `, estimated from ${formatCount(points)}`}.
${stability ? `Scores against ${baseline?.source}: ${describeStability(stability)}.` : 'There is no baseline to compare the scores with.'}</p>
${failures.length > 0 ? listFailures(failures, answers) : ''}
${listLabels(labels, baseline?.labels)}
${await drawScores(`Scores of ${version.version}`, [
  ...(baseline ? [[baseline.source, COLOURS.grey, baseline.scores] as const] : []),
  ['answers', COLOURS.blue, scores],
])}`;
}

const listFailures = (failures: readonly Share[], answers: number) => html`<table>
<thead><tr><th>failure</th><th>answers</th><th>share</th></tr></thead>
${failures.map((each) => html`<tr><th>${each.name}</th><td>${formatCount(each.answers)}</td><td>${formatShare(each.answers, answers)}</td></tr>`)}
</table>`;

function listLabels(labels: readonly Share[], expected: readonly Share[] | undefined) {
  const [total, ofExpected] = [labels, expected ?? []].map((all) => all.reduce((sum, { answers }) => sum + answers, 0));
  const find = (name: string) => expected?.find((each) => each.name === name)?.answers ?? 0;
  return html`<table>
<thead><tr><th>label</th><th>answers</th><th>share</th>${expected && html`<th>baseline</th>`}</tr></thead>
${labels.map(
  ({ name, answers }) =>
    html`<tr><th>${name}</th><td>${formatCount(answers)}</td><td>${formatShare(answers, total ?? 0)}</td>${
      expected && html`<td>${formatShare(find(name), ofExpected ?? 0)}</td>`
    }</tr>`,
)}
</table>`;
}

type Series = readonly [name: string, colour: string, scores: Histogram];

async function drawScores(title: string, series: readonly Series[]) {
  const chart = {
    title,
    subtitle: 'percent of answers by twentieth of the score',
    upright: true,
    rows: Array.from({ length: BINS }, (_, bin) => (bin / BINS).toFixed(2)),
    series: series.map(([name, colour, { bins }]) => ({ name, colour, values: toPercentages(bins) })),
  };
  return raw(
    await renderChart(chart, series.map(([name, , { points }]) => `${name}: ${formatCount(points)}`).join(', ')),
  );
}

function toPercentages(bins: readonly number[]): readonly number[] {
  const total = bins.reduce((sum, each) => sum + each, 0);
  return bins.map((each) => (total === 0 ? 0 : (100 * each) / total));
}

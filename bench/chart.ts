/** Horizontal bars in groups, drawn as SVG: all that the benchmarks need of a chart, in fewer lines than its set-up. */

export interface Bar {
  readonly label: string;
  /** The parts that stand end to end; most charts have one. */
  readonly parts: readonly { readonly value: number; readonly colour: string }[];
  /** What is written behind the bar; without it, the sum with the chart's unit. */
  readonly text?: string;
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly unit: string;
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[];
  /** Colours and what they stand for. */
  readonly legend: readonly { readonly label: string; readonly colour: string }[];
  /** A line that the bars should not cross. */
  readonly limits?: readonly { readonly value: number; readonly label: string }[];
  /** What was measured on. */
  readonly footer: string;
}

/** Told apart in both themes and by the colour-blind (Okabe and Ito's palette). */
export const COLOURS = {
  blue: '#0072b2',
  sky: '#56b4e9',
  green: '#009e73',
  orange: '#e69f00',
  vermilion: '#d55e00',
  grey: '#999999',
} as const;

const WIDTH = 860;
const LEFT = 210;
const RIGHT = 110;
const BAR = 16;
const GAP = 14;

/** @returns the SVG document */
export function drawChart({ title, subtitle, unit, groups, legend, limits = [], footer }: Chart): string {
  const sums = groups.flatMap(({ bars }) => bars.map(sumOf));
  const largest = Math.max(...sums, ...limits.map(({ value }) => value)) * 1.02;
  const scale = (WIDTH - LEFT - RIGHT) / largest;
  const keys = legend.length > 1 ? placed(legend) : [];
  const top = 72 + (keys.at(-1)?.line ?? -1) * 20 + 20;
  const body: string[] = [];
  let y = top;
  for (const { label, bars } of groups) {
    const middle = y + (bars.length * (BAR + 3) - 3) / 2 + 4;
    body.push(text(LEFT - 10, middle, label, 'end'));
    for (const bar of bars) {
      let x = LEFT;
      for (const { value, colour } of bar.parts) {
        const width = Math.max(0.5, value * scale);
        body.push(
          `<rect x="${fixed(x)}" y="${y}" width="${fixed(width)}" height="${BAR}" fill="${colour}"><title>${escaped(bar.label)}</title></rect>`,
        );
        x += width;
      }
      body.push(text(x + 5, y + 12, bar.text ?? `${fixed(sumOf(bar))} ${unit}`, 'start', 'small'));
      y += BAR + 3;
    }
    y += GAP;
  }
  const bottom = y - GAP + 6;
  for (const { value, label } of limits) {
    const x = fixed(LEFT + value * scale);
    body.push(
      `<line x1="${x}" y1="${top - 8}" x2="${x}" y2="${bottom}" stroke="#d55e00" stroke-dasharray="4 3"/>`,
    );
    body.push(text(Number(x), bottom + 14, label, 'middle', 'small'));
  }
  const height = bottom + (limits.length > 0 ? 44 : 26);
  for (const { label, colour, x, line } of keys) {
    body.push(
      `<rect x="${x}" y="${62 + line * 20}" width="11" height="11" fill="${colour}"/>`,
      text(x + 16, 72 + line * 20, label, 'start', 'small'),
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<style>text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-size: 18px; font-weight: 600 } .small { font-size: 12px } .faint { font-size: 11px; fill: #57606a }</style>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${text(16, 28, title, 'start', 'title')}
${text(16, 48, subtitle, 'start', 'faint')}
${body.join('\n')}
${text(16, height - 9, footer, 'start', 'faint')}
</svg>
`;
}

/** Where each key of the legend stands, in as many lines as it takes. */
function placed(legend: Chart['legend']) {
  let [x, line] = [LEFT, 0];
  return legend.map((key) => {
    const width = 34 + key.label.length * 6.4;
    if (x + width > WIDTH && x > LEFT) [x, line] = [LEFT, line + 1];
    const place = { ...key, x, line };
    x += width;
    return place;
  });
}

const sumOf = ({ parts }: Bar): number => parts.reduce((sum, { value }) => sum + value, 0);

const fixed = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

const escaped = (value: string): string =>
  value.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', style = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}"${style && ` class="${style}"`}>${escaped(content)}</text>`;
}

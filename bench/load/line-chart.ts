/** Lines over a common axis, drawn as SVG. */

export interface Line {
  readonly label: string;
  readonly colour: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  /** What is counted across and upwards. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** A height that the lines should not cross. */
  readonly limits?: readonly { readonly value: number; readonly label: string }[];
  /** What was measured on. */
  readonly footer: string;
}

const [WIDTH, HEIGHT] = [860, 460];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 190, 72, 76];
const TICKS = 5;

/** @returns the SVG document; both axes begin at 0 */
export function drawLines({ title, subtitle, x, y, lines, limits = [], footer }: LineChart): string {
  const points = lines.flatMap((line) => line.points);
  const across = ticksUpTo(Math.max(...points.map((point) => point.x)));
  const up = ticksUpTo(Math.max(...points.map((point) => point.y), ...limits.map(({ value }) => value)));
  const placeX = (value: number) => LEFT + (value / across.end) * (WIDTH - LEFT - RIGHT);
  const placeY = (value: number) => HEIGHT - BOTTOM - (value / up.end) * (HEIGHT - TOP - BOTTOM);
  const labels = spreadOut(lines.map((line) => placeY(line.points.at(-1)?.y ?? 0)));
  const body = [
    ...across.ticks.map((tick) => text(placeX(tick), HEIGHT - BOTTOM + 18, grouped(tick), 'middle', 'small')),
    ...up.ticks.map(
      (tick) =>
        `<path d="M${LEFT} ${fixed(placeY(tick))}H${WIDTH - RIGHT}" class="grid"/>` +
        text(LEFT - 8, placeY(tick) + 4, grouped(tick), 'end', 'small'),
    ),
    ...limits.map(
      ({ value, label }) =>
        `<path d="M${LEFT} ${fixed(placeY(value))}H${WIDTH - RIGHT}" stroke="#d55e00" stroke-dasharray="4 3"/>` +
        text(LEFT + 6, placeY(value) - 5, label, 'start', 'small'),
    ),
    ...lines.map(({ label, colour, points }, i) => {
      const path = points.map((point) => `${fixed(placeX(point.x))} ${fixed(placeY(point.y))}`).join('L');
      return (
        `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>` +
        text(WIDTH - RIGHT + 8, (labels[i] ?? 0) + 4, label, 'start', 'small')
      );
    }),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    '<style>text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-size: 18px; font-weight: 600 } .small { font-size: 12px } .faint { font-size: 11px; fill: #57606a } .grid { stroke: #d0d7de; stroke-width: .5 }</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(16, 28, title, 'start', 'title'),
    text(16, 48, subtitle, 'start', 'faint'),
    ...body,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, x, 'middle', 'small'),
    text(LEFT - 48, TOP - 8, y, 'start', 'small'),
    text(16, HEIGHT - 10, footer, 'start', 'faint'),
    '</svg>\n',
  ].join('\n');
}

/** Round numbers from 0 on, the last of them not below `largest`. */
function ticksUpTo(largest: number): { readonly ticks: readonly number[]; readonly end: number } {
  const rough = Math.max(largest / TICKS, 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.ceil(largest / step);
  return { ticks: Array.from({ length: count + 1 }, (_, i) => i * step), end: count * step };
}

/** The heights moved apart, so that no two labels lie on each other. */
function spreadOut(heights: readonly number[]): number[] {
  const gap = 15;
  const order = heights.map((height, i) => ({ height, i })).sort((a, b) => a.height - b.height);
  const placed: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { height, i } of order) {
    last = Math.max(height, last + gap);
    placed[i] = last;
  }
  return placed;
}

const fixed = (value: number): string => value.toFixed(1);

const grouped = (value: number): string => value.toLocaleString('en-GB');

const escaped = (value: string): string =>
  value.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', style = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}"${style && ` class="${style}"`}>${escaped(content)}</text>`;
}

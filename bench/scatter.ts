/** Named points in a plane, drawn as SVG. */

export interface Scatter {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly {
    readonly label: string;
    readonly x: number;
    readonly y: number;
    readonly colour: string;
  }[];
  /** What was measured on. */
  readonly footer: string;
}

const [WIDTH, HEIGHT] = [860, 460];
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 190, 60, 80];
const TICKS = 5;

/** @returns the SVG document */
export function drawScatter({ title, x, y, points, footer }: Scatter): string {
  const across = axis(points.map((point) => point.x));
  const up = axis(points.map((point) => point.y));
  const placeX = (value: number) => LEFT + across.share(value) * (WIDTH - LEFT - RIGHT);
  const placeY = (value: number) => HEIGHT - BOTTOM - up.share(value) * (HEIGHT - TOP - BOTTOM);
  const body = [
    ...across.ticks.map(
      (tick) =>
        `<path d="M${fixed(placeX(tick))} ${TOP}V${HEIGHT - BOTTOM}" class="grid"/>` +
        text(placeX(tick), HEIGHT - BOTTOM + 18, tick.toFixed(across.digits), 'middle', 'small'),
    ),
    ...up.ticks.map(
      (tick) =>
        `<path d="M${LEFT} ${fixed(placeY(tick))}H${WIDTH - RIGHT}" class="grid"/>` +
        text(LEFT - 8, placeY(tick) + 4, tick.toFixed(up.digits), 'end', 'small'),
    ),
    ...points.map(
      (point) =>
        `<circle cx="${fixed(placeX(point.x))}" cy="${fixed(placeY(point.y))}" r="6" fill="${point.colour}"/>` +
        text(placeX(point.x) + 10, placeY(point.y) + 4, point.label, 'start', 'small'),
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:13px system-ui,sans-serif;fill:#57606a}.small{font-size:11.5px}.title{font-size:17px;font-weight:600}',
    '.grid{stroke:#8888;stroke-width:.5}@media(prefers-color-scheme:dark){text{fill:#adbac7}}</style>',
    text(LEFT - 50, 32, title, 'start', 'title'),
    ...body,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, x, 'middle'),
    `<g transform="translate(20 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">${text(0, 0, y, 'middle')}</g>`,
    text(LEFT - 50, HEIGHT - 12, footer, 'start', 'small'),
    '</svg>\n',
  ].join('\n');
}

/** Round ticks around the values, and where a value lies between the first and the last of them. */
function axis(values: readonly number[]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const rough = Math.max((high - low) / TICKS, 1e-4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step - 0.25);
  const last = Math.ceil(high / step + 0.25);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const share = (value: number) => (value / step - first) / (last - first);
  return { ticks, digits, share };
}

function text(x: number, y: number, content: string, anchor: string, style = ''): string {
  const named = style === '' ? '' : ` class="${style}"`;
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}"${named}>${escaped(content)}</text>`;
}

const fixed = (value: number) => String(Number(value.toFixed(1)));
const escaped = (value: string) => value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

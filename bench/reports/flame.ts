import * as z from 'zod';

/** A call, the time in it, and the calls that it made. */
export interface FlameNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly FlameNode[];
}

export const FlameNode: z.ZodType<FlameNode> = z.object({
  name: z.string(),
  value: z.number(),
  get children() {
    return z.array(FlameNode);
  },
});

export interface Flame {
  readonly title: string;
  readonly subtitle: string;
  readonly root: FlameNode;
  /** The colour of what stands under each of the root's children, by their names. */
  readonly colours: Readonly<Record<string, string>>;
  /** What is written of a node's value. */
  readonly describe: (node: FlameNode) => string;
  readonly footer: string;
}

const [WIDTH, SIDE, TOP, ROW] = [860, 16, 64, 21];
/** Narrower than this a call is not drawn; narrower than that, it has no name. */
const [DRAWN, NAMED] = [1, 34];
const CHARACTER = 6.1;

/** Calls as bars below the bar of their caller, as wide as the time they took. @returns the SVG document */
export function drawFlame({ title, subtitle, root, colours, describe, footer }: Flame): string {
  const scale = (WIDTH - 2 * SIDE) / root.value;
  const bars: string[] = [];
  let rows = 0;
  const draw = (node: FlameNode, x: number, row: number, colour: string) => {
    const width = node.value * scale;
    if (width < DRAWN) return;
    rows = Math.max(rows, row + 1);
    const y = TOP + row * ROW;
    const label = `${node.name}: ${describe(node)}`;
    const room = Math.floor((width - 8) / CHARACTER);
    const shown =
      label.length <= room
        ? label
        : node.name.length <= room
          ? node.name
          : `${node.name.slice(0, room - 1)}…`;
    bars.push(
      `<g><title>${escaped(label)}</title><rect x="${fixed(x)}" y="${y}" width="${fixed(width - 0.6)}" height="${ROW - 2}" rx="2" fill="${colour}" fill-opacity="${Math.max(0.35, 1 - row * 0.13).toFixed(2)}"/>${
        width < NAMED ? '' : `<text x="${fixed(x + 4)}" y="${y + 14}">${escaped(shown)}</text>`
      }</g>`,
    );
    let at = x;
    for (const child of node.children) {
      draw(child, at, row + 1, colour);
      at += child.value * scale;
    }
  };
  let at = SIDE;
  for (const child of root.children) {
    draw(child, at, 0, colours[child.name] ?? '#999999');
    at += child.value * scale;
  }
  const height = TOP + rows * ROW + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<style>text { font: 11px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 18px; font-weight: 600 } .faint { fill: #57606a }</style>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="${SIDE}" y="28" class="title">${escaped(title)}</text>
<text x="${SIDE}" y="48" class="faint">${escaped(subtitle)}</text>
${bars.join('\n')}
<text x="${SIDE}" y="${height - 9}" class="faint">${escaped(footer)}</text>
</svg>
`;
}

const fixed = (value: number): string => value.toFixed(1);

const escaped = (value: string): string =>
  value.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

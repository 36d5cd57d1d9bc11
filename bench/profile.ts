import type { CpuProfile } from './inspector.ts';
import type { FlameNode } from './reports/flame.ts';
import { STAGE_NAMES, type Stage } from './reports/stages.ts';
import type { Bundle } from './workerd.ts';

type Node = CpuProfile['nodes'][number];
type Frame = Node['callFrame'];

/** A place in the way of a photo, told by where the code comes from. The first that fits is taken. */
const SOURCES: readonly (readonly [RegExp, Stage])[] = [
  [/^src\/upload\//, 'read'],
  [/^src\/image\/(.*\/)?(header|format|exif|limits|budget|bits|lossless)\.ts$/, 'header'],
  [/^src\/image\/resize\.ts$/, 'resize'],
  [/^src\/image\/orientation\.ts$/, 'tensor'],
  [/^src\/image\/((jpeg|png|gif|webp)\/|decode|reducer|boxes|bytes|frame|garbage|wasm-decoder)/, 'decode'],
  [/^(src\/model\/|node_modules\/onnxruntime-)/, 'inference'],
  [/^src\/(routes|answer|log|views|middleware)/, 'answer'],
];

/** How what is compiled to wasm is called there, since the files have no names of functions in them. */
const WASM: Readonly<Partial<Record<Stage, string>>> = {
  decode: 'C decoder (wasm)',
  resize: 'photon (wasm)',
  inference: 'ONNX Runtime (wasm)',
};

/** Nothing of ours runs. */
const IDLE = new Set(['(idle)', '(program)']);
const COLLECTING = '(garbage collector)';
/** Steps over from one language to the other; V8 gives them any module's address. */
const ADAPTER = /^(js-to-wasm|wasm-to-js)/;

export interface Breakdown {
  /** Of the time in which the isolate worked, 0 to 1; together 1. */
  readonly shares: Readonly<Record<Stage, number>>;
  /** The same with the calls inside; values are microseconds. */
  readonly flame: FlameNode;
}

/** Sorts a profile's samples by the stage of the photo's way in which they fell. */
export function breakDown(profile: CpuProfile, bundle: Bundle): Breakdown {
  const sourceOf = sourceMap(bundle);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap((node) => node.children.map((child) => [child, node] as const)),
  );
  const root: Grown = { name: 'request', value: 0, children: new Map() };
  for (const [index, id] of profile.samples.entries()) {
    const stack: Node[] = [];
    for (let node = nodes.get(id); node; node = parents.get(node.id)) stack.push(node);
    const frames = stack.reverse().map(({ callFrame }) => callFrame);
    const leaf = frames.at(-1);
    if (!leaf || IDLE.has(leaf.functionName) || frames.length < 2) continue;
    grow(root, pathOf(frames, sourceOf), Math.max(0, profile.timeDeltas[index] ?? 0));
  }
  const shares = Object.fromEntries(
    STAGE_NAMES.map((stage) => [stage, (root.children.get(stage)?.value ?? 0) / root.value]),
  ) as Record<Stage, number>;
  return { shares, flame: finished(root) };
}

/** The stage, then the calls from the one that belongs to it inwards. */
function pathOf(frames: readonly Frame[], sourceOf: (frame: Frame) => string): string[] {
  if (frames.at(-1)?.functionName === COLLECTING) return ['garbage'];
  const stages = frames.map((frame) => stageOf(frame, sourceOf(frame)));
  const innermost = stages.findLastIndex((stage) => stage !== undefined);
  const stage = stages[innermost] ?? 'answer';
  const first = innermost < 0 ? 1 : stages.indexOf(stage);
  const path: string[] = [stage];
  let inWasm = false;
  for (const frame of frames.slice(first)) {
    const isWasm = frame.url.startsWith('wasm:');
    if (ADAPTER.test(frame.functionName)) continue;
    if (isWasm && !inWasm) path.push(WASM[stage] ?? 'wasm');
    else if (!isWasm && !inWasm) path.push(nameOf(frame, sourceOf(frame)));
    inWasm ||= isWasm;
  }
  // Of the calls inside a wasm file, only the innermost: they have no names, and there are many.
  const leaf = frames.at(-1);
  if (inWasm && leaf) path.push(leaf.functionName.replace('wasm-function', 'function') || 'function');
  return path;
}

function stageOf(frame: Frame, source: string): Stage | undefined {
  // The platform's zlib, of which only PNG makes use.
  if (/^node-internal:.*(zlib|streams)/.test(frame.url)) return 'decode';
  return SOURCES.find(([pattern]) => pattern.test(source))?.[1];
}

function nameOf({ functionName, url }: Frame, source: string): string {
  const file = (source || url).replace(/^.*\//, '').replace(/^node-internal:/, '');
  // The bundler numbers names that occur in several files.
  const name = functionName.replace(/(?<=[a-z])\d$/i, '');
  if (name === '') return file === '' ? '(native)' : `(${file})`;
  return file === '' ? name : `${name} (${file})`;
}

/** Which source file a place in the bundle comes from: esbuild writes its path above each. */
function sourceMap(bundle: Bundle): (frame: Frame) => string {
  const main = Object.values(bundle).find(({ type }) => type === 'esm');
  const lines = new TextDecoder().decode(main?.contents).split('\n');
  const sources = lines.flatMap((line, number) => {
    const path = /^\/\/ ((?:src|node_modules|bench)\/\S+)$/.exec(line)?.[1];
    return path === undefined ? [] : [{ number, path }];
  });
  return ({ url, lineNumber }) => {
    if (!url.endsWith('index.js')) return '';
    return sources.findLast(({ number }) => number <= lineNumber)?.path ?? '';
  };
}

interface Grown {
  readonly name: string;
  value: number;
  readonly children: Map<string, Grown>;
}

function grow(root: Grown, path: readonly string[], value: number): void {
  root.value += value;
  let at = root;
  for (const name of path) {
    let next = at.children.get(name);
    if (!next) {
      next = { name, value: 0, children: new Map() };
      at.children.set(name, next);
    }
    next.value += value;
    at = next;
  }
}

/** Less than this share of all is not kept. */
const KEPT = 0.003;

function finished(root: Grown): FlameNode {
  const finish = ({ name, value, children }: Grown): FlameNode => ({
    name,
    value: Math.round(value),
    children: [...children.values()].filter((child) => child.value >= KEPT * root.value).map(finish),
  });
  return finish(root);
}

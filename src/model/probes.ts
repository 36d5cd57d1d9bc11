import { channelCount, type Manifest, type Probe } from './manifest.ts';

/** Largest difference from the expected outputs that different hardware explains. */
const PROBE_TOLERANCE = 1e-3;

/** The network's outputs for one input. */
export interface Outputs {
  readonly scores: Float32Array;
  /** (rows, columns) for one score, (rows, columns, scores) for several. */
  readonly heatmap?: Float32Array;
}

/** Selects the heat map of the highest score: rows * columns values. */
export function selectPlane(scores: Float32Array, heatmap: Float32Array): Float32Array {
  const answer = scores.indexOf(Math.max(...scores));
  return heatmap.filter((_, index) => index % scores.length === answer);
}

/** Writes the probe's input, height * width * channels values in [0, 1] (NHWC), into `input`. */
export function drawProbe(probe: Probe, { width, height, color }: Manifest['input'], input: Float32Array): void {
  const channels = channelCount({ color });
  switch (probe.kind) {
    case 'solid':
      for (let i = 0; i < input.length; i++) input[i] = (probe.rgb[i % channels] ?? 0) / 255;
      break;
    case 'noise': {
      const next = mulberry32(probe.seed);
      for (let i = 0; i < input.length; i++) input[i] = Math.floor(next() * 256) / 255;
      break;
    }
    case 'grid': {
      const bytes = Uint8Array.from(atob(probe.rgb), (char) => char.charCodeAt(0));
      for (let y = 0, to = 0; y < height; y++) {
        const row = Math.floor((y * probe.rows) / height);
        for (let x = 0; x < width; x++) {
          const from = (row * probe.columns + Math.floor((x * probe.columns) / width)) * channels;
          for (let channel = 0; channel < channels; channel++) input[to++] = (bytes[from + channel] ?? 0) / 255;
        }
      }
    }
  }
}

/** The probe whose expected scores differ most from the others': it is the least likely to pass by accident. */
export function mostDistinctive(probes: Manifest['probes']): Probe {
  const distance = (a: Probe, b: Probe) =>
    a.expected.reduce((sum, value, index) => sum + Math.abs(value - (b.expected[index] ?? 0)), 0);
  const total = (probe: Probe) => probes.reduce((sum, other) => sum + distance(probe, other), 0);
  return probes.reduce((best, probe) => (total(probe) > total(best) ? probe : best));
}

/**
 * Runs the probes and returns the names of those with unexpected outputs, heat maps included.
 *
 * @param run the network: takes an input as `drawProbe` writes it, and whether to compute the heat map
 */
export async function runProbes(
  probes: readonly Probe[],
  { input, heatmap }: Manifest,
  run: (input: Float32Array, withHeatmap: boolean) => Promise<Outputs>,
): Promise<string[]> {
  const data = new Float32Array(input.width * input.height * channelCount(input));
  const failed = [];
  for (const probe of probes) {
    drawProbe(probe, input, data);
    const outputs = await run(data, heatmap !== null && probe.heatmap !== undefined);
    const agrees =
      isClose(outputs.scores, probe.expected) &&
      (!outputs.heatmap || isClose(selectPlane(outputs.scores, outputs.heatmap), probe.heatmap ?? []));
    if (!agrees) failed.push(probe.name);
  }
  return failed;
}

const isClose = (found: Float32Array, expected: readonly number[]): boolean =>
  found.length === expected.length &&
  found.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) <= PROBE_TOLERANCE);

/** Tommy Ettinger's mulberry32: numbers in [0, 1), the same as in the converter. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

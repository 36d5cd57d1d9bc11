import * as z from 'zod';
import { Sha256 } from './digest.ts';

const size = z.number().int().positive();
const byte = z.number().int().min(0).max(255);
const range = z.tuple([z.literal(0), z.literal(1)]);

const file = z.object({ bytes: size, sha256: Sha256 });
const probe = z.object({
  name: z.string().min(1),
  expected: z.array(z.number()).min(1),
  /** The expected heat map, row by row: with several labels, the plane of the most probable one. */
  heatmap: z.array(z.number()).min(1).optional(),
});

/** An input for which an intact model returns the `expected` outputs; every value is byte / 255. */
const Probe = z.discriminatedUnion('kind', [
  /** With one channel, red is the value. */
  probe.extend({ kind: z.literal('solid'), rgb: z.tuple([byte, byte, byte]) }),
  /** One mulberry32 number per element, in NHWC order. */
  probe.extend({ kind: z.literal('noise'), seed: z.number().int().min(0) }),
  /** `rgb` is base64 of rows * columns * channels bytes, enlarged to the input size by nearest neighbor. */
  probe.extend({ kind: z.literal('grid'), rows: size, columns: size, rgb: z.base64() }),
]);

/** A tensor in weights.bin. `offset` is in bytes; the values are little-endian, in row-major order. */
const WeightTensor = z.object({
  name: z.string().min(1),
  dtype: z.enum(['float16', 'float32']),
  shape: z.array(size).max(8),
  offset: z.number().int().min(0),
});

/** What both formats have in common. What only the converter reports is ignored. */
const Common = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  input: z.object({
    name: z.string().min(1),
    width: size.max(1024),
    height: size.max(1024),
    layout: z.literal('NHWC'),
    /** `L` is one channel: Pillow's `convert("L")`. */
    color: z.enum(['RGB', 'L']),
    dtype: z.literal('float32'),
    range,
    /** The filter that resizes a photo to the input, by Pillow's name. */
    resampling: z.enum(['bicubic', 'bilinear', 'lanczos']),
    /**
     * Squeezes the whole photo to the input's shape, or crops it at the centre first, as Pillow's `ImageOps.fit` does.
     * Absent in versions from before this choice: squeezed, and resized less exactly, so that their scores stay the same.
     */
    resize: z.enum(['squeeze', 'fit']).optional(),
  }),
  output: z.object({ name: z.string().min(1), activation: z.enum(['sigmoid', 'softmax']), size }),
  /**
   * The graph's output (M, rows, columns), or (M, rows, columns, size) for several scores, from 0 to 1: how much each
   * cell of the input contributes to the label. The input (1,) int64 is M, the number of photos that need a heat
   * map. Null if the network has no such output.
   */
  heatmap: z
    .object({
      input: z.string().min(1),
      output: z.string().min(1),
      rows: size.max(1024),
      columns: size.max(1024),
    })
    .nullable()
    .default(null),
  /** Binary: the label whose probability is the score, then its opposite. Otherwise one label per output. */
  labels: z.array(z.string().min(1).max(200)).min(2),
  /** Null for a softmax. With independent labels, each applies if its probability is above this. */
  threshold: z.number().min(0).max(1).nullable(),
  source: file.extend({ file: z.string().min(1) }),
  tools: z.record(z.string(), z.string()),
  metrics: z.record(z.string(), z.json()).nullable(),
  /** The first is the decisive one: of all answers, its expected one is the least likely to come about by accident. */
  probes: z.array(Probe).min(1),
});

/** The network in one file, which ONNX Runtime optimises when it creates a session. */
const SingleFile = Common.extend({
  format: z.literal('husky-ai/manifest/1'),
  files: z.object({ 'model.onnx': file }),
});

/** A network that was optimised offline, with its large tensors beside it. */
const GraphAndWeights = Common.extend({
  format: z.literal('husky-ai/manifest/2'),
  files: z.object({ 'graph.onnx': file, 'weights.bin': file.extend({ bytes: z.number().int().min(0) }) }),
  /** The content of weights.bin, in order and without gaps. */
  weights: z.array(WeightTensor),
  /** The ONNX Runtime that the graph was optimised for, and the bytes of wasm memory that it takes with this network. */
  runtime: z.object({ name: z.string().min(1), version: z.string().min(1), memory: size }),
}).refine(({ weights, files }) => {
  let end = 0;
  for (const tensor of weights) {
    if (tensor.offset !== end) return false;
    end += storedBytes(tensor);
  }
  return end === files['weights.bin'].bytes && new Set(weights.map(({ name }) => name)).size === weights.length;
}, 'the tensors do not fill weights.bin exactly once');

/** What a version promises; its SHA-256 is the version. */
const Manifest = z
  .discriminatedUnion('format', [SingleFile, GraphAndWeights])
  .refine(({ output, labels, threshold }) => {
    const { activation, size } = output;
    if (activation === 'softmax') return size > 1 && labels.length === size && threshold === null;
    return labels.length === (size === 1 ? 2 : size) && threshold !== null;
  }, 'labels and threshold do not fit the output');

export type Manifest = Readonly<z.infer<typeof Manifest>>;
/** The manifest of a network in one file. */
export type SingleFileManifest = Extract<Manifest, { format: 'husky-ai/manifest/1' }>;
/** The manifest of a network with its weights beside it. */
export type SplitManifest = Extract<Manifest, { format: 'husky-ai/manifest/2' }>;
export type WeightTensor = z.infer<typeof WeightTensor>;
export type Probe = z.infer<typeof Probe>;

export const elementCount = ({ shape }: WeightTensor): number => shape.reduce((product, side) => product * side, 1);

/** The bytes of a tensor in weights.bin. */
export const storedBytes = (tensor: WeightTensor): number =>
  elementCount(tensor) * (tensor.dtype === 'float16' ? 2 : 4);

/**
 * Parses a manifest.
 *
 * @throws {z.ZodError | SyntaxError | TypeError} the bytes are not UTF-8, not JSON, or not a manifest
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  return Manifest.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
}

/** Whether the only output is the probability of `labels[0]`, and its complement that of `labels[1]`. */
export function isBinary(manifest: Manifest): boolean {
  return manifest.output.activation === 'sigmoid' && manifest.output.size === 1;
}

/** Whether each output is the probability of its own label, so that several labels or none may apply. */
export function isIndependent(manifest: Manifest): boolean {
  return manifest.output.activation === 'sigmoid' && manifest.output.size > 1;
}

/** Numbers per pixel of the network's input. */
export function channelCount({ color }: Pick<Manifest['input'], 'color'>): 1 | 3 {
  return color === 'L' ? 1 : 3;
}

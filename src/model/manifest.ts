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
  probe.extend({ kind: z.literal('solid'), rgb: z.tuple([byte, byte, byte]) }),
  /** One mulberry32 number per element, in NHWC order. */
  probe.extend({ kind: z.literal('noise'), seed: z.number().int().min(0) }),
  /** `rgb` is base64 of rows * columns * 3 bytes, enlarged to the input size by nearest neighbor. */
  probe.extend({ kind: z.literal('grid'), rows: size, columns: size, rgb: z.base64() }),
]);

/** What a version promises; its SHA-256 is the version. What only the converter reports is ignored. */
const Manifest = z
  .object({
    format: z.literal('husky-ai/manifest/1'),
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
    input: z.object({
      name: z.string().min(1),
      width: size.max(1024),
      height: size.max(1024),
      layout: z.literal('NHWC'),
      color: z.literal('RGB'),
      dtype: z.literal('float32'),
      range,
      /** The filter that resizes a photo to the input, by Pillow's name. */
      resampling: z.enum(['bicubic', 'bilinear', 'lanczos']),
    }),
    output: z.object({ name: z.string().min(1), activation: z.enum(['sigmoid', 'softmax']), size }),
    /**
     * The graph's output (M, rows, columns), or (M, rows, columns, size) for a softmax, from 0 to 1: how much each
     * cell of the photo contributes to the label. The input (1,) int64 is M, the number of photos that need a heat
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
    threshold: z.number().min(0).max(1).nullable(),
    files: z.object({ 'model.onnx': file }),
    source: file.extend({ file: z.string().min(1) }),
    tools: z.record(z.string(), z.string()),
    metrics: z.record(z.string(), z.json()).nullable(),
    probes: z.array(Probe).min(1),
  })
  .refine(({ output, labels, threshold }) => {
    const binary = output.activation === 'sigmoid';
    return (
      (output.size === 1) === binary && labels.length === (binary ? 2 : output.size) && (threshold !== null) === binary
    );
  }, 'labels and threshold do not fit the output');

export type Manifest = Readonly<z.infer<typeof Manifest>>;
export type Probe = z.infer<typeof Probe>;

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
  return manifest.output.activation === 'sigmoid';
}

import './wasm-modules.ts';
import type { Config } from '../src/config.ts';
import type { Target } from '../src/image/target.ts';
import { checkSizes, networkBytes, tooLarge } from '../src/model/verification.ts';
import type { Release } from './release.ts';

/** What a version takes in an isolate, in bytes. */
export interface Trial {
  /** ONNX Runtime's memory after the network has run. */
  readonly memory: number;
  /** The most that the model takes while it loads. */
  readonly loading: number;
  /** What an isolate has for the model and photos. */
  readonly available: number;
  /** The largest photos that fit beside the model, in megapixels, by format. */
  readonly photos: Readonly<Record<string, number>>;
  /** The scores of each input. */
  readonly outputs: readonly Float32Array[];
}

/** A compressed photo takes less than this, in bytes a pixel. */
const FILE_BYTES = 0.5;
const LARGEST_PIXELS = 200_000_000;
const STEP = 100_000;
/** Of the width to the height: photos are wide or upright. */
const RATIOS = [4 / 3, 3 / 4];

/**
 * Runs a version as an isolate does: in the same build of ONNX Runtime, with all probes. The network may differ from
 * native ONNX Runtime, which accepts graphs that trap in wasm. ONNX Runtime's memory is that of
 * all versions that the process has tried. Consumes the files.
 *
 * @param inputs float32 NHWC, height * width * channels values in [0, 1] each
 * @throws {ModelUntrusted} it cannot be run, fails a probe, or does not fit in an isolate with these settings
 */
export async function tryVersion(
  { manifest, files }: Pick<Release, 'manifest' | 'files'>,
  settings: Config,
  inputs: Iterable<Float32Array>,
): Promise<Trial> {
  checkSizes(files, manifest, settings);
  const { runtime } = await import('../src/model/worker-runtime.ts');
  const { openSession, testNetwork } = await import('../src/model/classifier.ts');
  const session = await openSession({ manifest, files }, runtime);
  await testNetwork(manifest.probes, manifest, session.run);
  const outputs = [];
  for (const input of inputs) outputs.push((await session.run(input, false)).scores);
  const memory = runtime.bytes;
  const loading = memory + networkBytes(manifest);
  const available = settings.ISOLATE_MEMORY_BYTES - settings.BASELINE_MEMORY_BYTES;
  if (memory > settings.MAX_MODEL_MEMORY_BYTES) {
    throw tooLarge('ONNX Runtime with this network', memory, settings.MAX_MODEL_MEMORY_BYTES);
  }
  if (loading > available) throw tooLarge('loading the model', loading, available);
  return { memory, loading, available, photos: await largestPhotos(available - memory, manifest.input), outputs };
}

/** The largest JPEGs that fit into so many bytes, file and decoding, as all smaller ones do: in megapixels. */
async function largestPhotos(bytes: number, target: Target): Promise<Trial['photos']> {
  const { peakBytes, heldBytes } = await import('../src/image/budget.ts');
  const { codecs } = await import('../src/image/codecs.ts');
  const { jpeg } = await import('../src/image/jpeg/codec.ts');
  const free = bytes - heldBytes(codecs);
  // Colour as fine as brightness takes the most, so photos with less of it fit too.
  const components = [1, 2, 3].map((id) => ({ id, horizontal: 1, vertical: 1 }));
  const largest = (progressive: boolean) => {
    const fits = (pixels: number, ratio: number) => {
      const width = Math.ceil(Math.sqrt(pixels * ratio));
      const height = Math.ceil(pixels / width);
      const header = {
        width,
        height,
        orientation: 1,
        progressive,
        buffered: progressive,
        delicate: false,
        endless: false,
        scans: [],
        components,
        segments: 0,
        end: 0,
      } as const;
      return peakBytes(jpeg, header, target) + FILE_BYTES * pixels <= free;
    };
    // Decoders reduce larger photos more, so a photo may fit where a smaller one does not: all smaller ones must.
    let pixels = 0;
    while (pixels < LARGEST_PIXELS && RATIOS.every((ratio) => fits(pixels + STEP, ratio))) pixels += STEP;
    return pixels / 1e6;
  };
  return { JPEG: largest(false), 'progressive JPEG': largest(true) };
}

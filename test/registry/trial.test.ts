import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import '../../registry/wasm-modules.ts';

async function tryCommitted() {
  const { stdout } = await promisify(execFile)(process.execPath, ['registry/try.ts']);
  return JSON.parse(stdout);
}

test('ONNX Runtime takes no more memory for the committed model than it needs', async () => {
  const { memory } = await tryCommitted();
  expect(memory).toBeLessThanOrEqual(32_000_000);
});

test('photos up to the size that it announces fit, whatever their colour sampling and orientation', async () => {
  const { heldBytes, peakBytes } = await import('../../src/image/budget.ts');
  const { codecs } = await import('../../src/image/codecs.ts');
  const { jpeg } = await import('../../src/image/jpeg/codec.ts');
  const { memory, available, photos } = await tryCommitted();
  const free = available - memory - heldBytes(codecs);
  for (const [horizontal, vertical] of [
    [1, 1],
    [2, 1],
    [1, 2],
    [2, 2],
  ] as const) {
    for (const progressive of [false, true]) {
      const largest = photos[progressive ? 'progressive JPEG' : 'JPEG'] * 1e6;
      for (let pixels = largest; pixels > 1e6; pixels *= 0.9) {
        const long = Math.floor(Math.sqrt((pixels * 4) / 3));
        const short = Math.floor(pixels / long);
        for (const [width, height] of [
          [long, short],
          [short, long],
        ] as const) {
          const sampling = [
            { id: 1, horizontal, vertical },
            ...[2, 3].map((id) => ({ id, horizontal: 1, vertical: 1 })),
          ];
          const counts = { orientation: 1, delicate: false, endless: false, scans: [], segments: 0, end: 0 } as const;
          const header = { width, height, progressive, buffered: progressive, components: sampling, ...counts };
          expect(peakBytes(jpeg, header, { width: 160, height: 160, resampling: 'bicubic' })).toBeLessThanOrEqual(free);
        }
      }
    }
  }
});

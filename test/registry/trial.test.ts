import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('ONNX Runtime takes no more memory for the committed model than it needs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['registry/try.ts']);
  const { memory } = JSON.parse(stdout);
  expect(memory).toBeLessThanOrEqual(32_000_000);
});

import { expect, test } from 'vitest';
import { MethodNotAllowed } from '../../src/errors.ts';

test('a refused method names those that are allowed', () => {
  expect(new MethodNotAllowed(['GET', 'HEAD']).headers.Allow).toBe('GET, HEAD');
});

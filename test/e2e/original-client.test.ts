/// <reference lib="dom" />
import { expect, test } from 'vitest';
import { solidPng } from '../pictures/png.ts';
import { usePage } from './page-fixture.ts';

const fixture = usePage();

/** Sends a file as the page of the original does, by XMLHttpRequest, and parses the answer. */
async function sendAsOriginal(file: Uint8Array, name: string): Promise<{ status: number; answer: unknown }> {
  const page = await fixture.open();
  return page.evaluate(
    ([base64, fileName]) =>
      new Promise((resolve, reject) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const form = new FormData();
        form.append('file', new File([bytes], fileName));
        const request = new XMLHttpRequest();
        request.open('POST', '/huskyai/');
        request.onload = () => resolve({ status: request.status, answer: JSON.parse(request.responseText) });
        request.onerror = () => reject(new Error('the request failed'));
        request.send(form);
      }),
    [Buffer.from(file).toString('base64'), name] as const,
  );
}

test('the page of the original gets answers that it can parse', async () => {
  const husky = await sendAsOriginal(await solidPng([255, 255, 255]), 'photo.png');
  expect(husky).toEqual({ status: 200, answer: { score: '100.00', text: 'It is a husky!' } });
  const other = await sendAsOriginal(await solidPng([0, 0, 0]), 'photo.png');
  expect(other).toEqual({
    status: 200,
    answer: { score: '0.00', text: 'Does not look like a husky to me.' },
  });
});

test('it gets a problem where the original refused', async () => {
  expect(await sendAsOriginal(Buffer.from('no photo'), 'photo.txt')).toMatchObject({
    status: 415,
    answer: { code: 'unsupported_media_type' },
  });
});

test('the address of the original leads to the page', async () => {
  const response = await fetch(`${fixture.url}/huskyai/`);
  expect(response.url).toBe(`${fixture.url}/`);
  expect(response.headers.get('Content-Type')).toContain('text/html');
});

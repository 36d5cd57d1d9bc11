import { expect, test } from 'vitest';
import type { CountedAnswer } from '../../src/counted-answer.ts';
import { readLog } from '../../watch/log.ts';

const answer: CountedAnswer = {
  version: 'abcdefabcdef',
  role: 'stable',
  code: 'ok',
  label: 'not "husky", really',
  format: 'png',
  megapixels: '<=1',
  score: 3,
};
const line = JSON.stringify({ answer });
const request = JSON.stringify({ method: 'POST', route: '/api/predict', status: 200 });
/** An event as `wrangler tail` receives it. */
const event = (...lines: readonly string[]) => ({
  wallTime: 3,
  outcome: 'ok',
  logs: lines.map((text) => ({ message: [text], level: 'log', timestamp: 1_700_000_000_000 })),
  event: { request: { url: 'https://husky.test/api/predict' } },
});

test.each([
  [
    'wrangler dev',
    `⎔ Starting local server...\n${line}\n${request}\n${line}\n[wrangler:info] POST /api/predict 200 OK`,
  ],
  ['wrangler tail --format json', JSON.stringify(event(line, request, line), null, 2)],
  ['events of one line each', `${JSON.stringify(event(line))}\n${JSON.stringify(event(request, line))}\n`],
])('answers are found in the output of %s', (_, text) => {
  expect([...readLog(text)]).toEqual([answer, answer]);
});

test.each(['', 'no JSON', '{"answer":{}}', JSON.stringify({ answer: { ...answer, score: 20 } }), '[]', 'null', '"x"'])(
  '%j has no answers',
  (text) => {
    expect([...readLog(text)]).toEqual([]);
  },
);

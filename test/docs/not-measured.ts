/**
 * Phrases with a figure in them that no benchmark measures: limits that are configured or the platform's, tolerances that a test
 * asserts, aims, and what others have published. By page, as they stand there with spaces for line breaks.
 */
export const NOT_MEASURED: Readonly<Record<string, readonly string[]>> = {
  'README.md': [
    'the score is that of the original to within 0.01 in the mean',
    'under 60 KB in all',
    "the free plan's 10 ms",
  ],
  'docs/api.md': ['20 in 10 seconds and 60 in 60 seconds'],
  'docs/architecture.md': [
    '128 MiB for everything',
    'may then differ by 0.01 instead of 0.00001',
    'or by that of 95 % where the largest is less',
  ],
  'docs/benchmarks.md': [
    'a reduced photo within 20 CPU ms, a million below $0.80',
    'within 1.5 times native time',
    'the first answer of a new isolate within 200 ms',
    "an isolate's memory under 110 MB, whatever comes",
  ],
  'docs/deploy.md': ["the free plan's 10 ms"],
  'docs/operations.md': [
    'The platform kills it at 128 MiB',
    '128 MB of memory an isolate',
    '10 ms free, up to 5 min paid',
    'start-up within 1 s',
    'a Worker of 64 MiB',
    'a request body of 100 MB',
    'a variable of 5 KB',
    '30 s for work after the answer',
    'an isolate has one thread and 128 MB',
  ],
  'docs/threat-model.md': ['20 photos in 10 s and 60 in 60 s'],
};

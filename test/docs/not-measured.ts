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
  'docs/threat-model.md': ['20 photos in 10 s and 60 in 60 s'],
};

import { type CountedAnswer, toBin } from './counted-answer.ts';
import { Failure, type FailureCode, toFailure } from './errors.ts';
import type { ModelHost } from './model/host.ts';
import { shortVersion } from './model/layout.ts';
import type { Outcome, Predictor } from './predict/predictor.ts';
import { toSizeClass } from './size-class.ts';

/** The most data points that Analytics Engine takes from one request. */
const MOST_POINTS = 250;

type Score = Pick<Predictor, 'score'>;

export interface CountingOptions {
  readonly models: Pick<ModelHost, 'served' | 'roleOf'>;
  /** Where the counts go. */
  readonly write: (answer: CountedAnswer) => void;
}

/** The predictor, with each answer counted: one for each photo, or one for an upload that fails as a whole. */
export function countAnswers(predictor: Score, { models, write }: CountingOptions): Score {
  const failed = (code: FailureCode, format = ''): CountedAnswer => {
    const { version = '', role = 'stable' } = models.served ?? {};
    return { version: shortVersion(version), role, code, label: '', format, megapixels: '', score: -1 };
  };
  const describe = ({ format, result }: Outcome): CountedAnswer => {
    if (result instanceof Failure) return failed(result.code, format);
    const { classification, classifier, image } = result;
    return {
      version: shortVersion(classifier.version),
      role: models.roleOf(classifier),
      code: 'ok',
      label: classification.label,
      format: image.format,
      megapixels: toSizeClass(image.width * image.height),
      score: toBin(classification.score),
    };
  };
  return {
    async score(...request) {
      const outcomes = await predictor.score(...request).catch((error: unknown) => {
        write(failed(toFailure(error).code));
        throw error;
      });
      outcomes.slice(0, MOST_POINTS).map(describe).forEach(write);
      return outcomes;
    },
  };
}

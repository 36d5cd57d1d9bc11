import { type Config, InvalidConfig } from './config.ts';
import { type CountedAnswer, toDataPoint } from './counted-answer.ts';
import { countAnswers } from './counting.ts';
import type { Env, PhotoLimit, Service } from './env.ts';
import { toFailure } from './errors.ts';
import { BodyPlaces } from './http/body-places.ts';
import { heldBytes } from './image/budget.ts';
import type { Codec } from './image/codec.ts';
import { explainError, logAnswer, logCandidate } from './log.ts';
import { PhotoMemory } from './memory.ts';
import { ModelHost } from './model/host.ts';
import { shortVersion } from './model/layout.ts';
import { ModelStore } from './model/store.ts';
import { runtime } from './model/worker-runtime.ts';
import { Predictor } from './predict/predictor.ts';
import { Turns } from './predict/turns.ts';

/**
 * What the requests of an isolate share. The first request loads the model.
 *
 * @throws {InvalidConfig} limits are on, and wrangler.toml binds no counter for them
 */
export function createService(config: Config, env: Env, codecs: readonly Codec[]): Service {
  const available = config.ISOLATE_MEMORY_BYTES - config.BASELINE_MEMORY_BYTES;
  const memory = new PhotoMemory(
    () => available - models.bytes - heldBytes(codecs),
    // Until a model is loaded, more is set aside for it than it may take.
    () => available - models.leastBytes - heldBytes(codecs),
  );
  const store = new ModelStore(env.MODELS, config);
  const models = new ModelHost({ store, runtime, memory, config, onCandidateRefused });
  const uncounted = new Predictor({ codecs, memory, models, turns: new Turns(), config });
  const write = createCounter(config, env);
  const predictor = write ? countAnswers(uncounted, { models, write }) : uncounted;
  const photoLimits = createPhotoLimits(config, env);
  const bodyPlaces = config.RATE_LIMITS === 'on' ? new BodyPlaces(config) : undefined;
  return { config, codecs, memory, models, predictor, photoLimits, bodyPlaces };
}

/** Writes counts to wherever the configuration says; undefined if it says nowhere. */
function createCounter({ ANSWER_LOG }: Config, { ANSWERS }: Env): ((answer: CountedAnswer) => void) | undefined {
  if (!ANSWERS && ANSWER_LOG === 'off') return undefined;
  return (answer) => {
    ANSWERS?.writeDataPoint(toDataPoint(answer));
    if (ANSWER_LOG === 'on') logAnswer(answer);
  };
}

function onCandidateRefused(version: string, error: unknown): void {
  const { code } = toFailure(error);
  logCandidate({ candidate: 'refused', version: shortVersion(version), code, reason: explainError(error) });
}

function createPhotoLimits(config: Config, { BURST, SUSTAINED }: Env): readonly PhotoLimit[] {
  if (config.RATE_LIMITS === 'off') return [];
  if (!BURST || !SUSTAINED) {
    throw new InvalidConfig('RATE_LIMITS is on, but wrangler.toml lacks [[ratelimits]] BURST or SUSTAINED.');
  }
  const { BURST_PHOTOS, BURST_SECONDS, SUSTAINED_PHOTOS, SUSTAINED_SECONDS } = config;
  return [
    { name: 'burst', photos: BURST_PHOTOS, seconds: BURST_SECONDS, counter: BURST },
    { name: 'sustained', photos: SUSTAINED_PHOTOS, seconds: SUSTAINED_SECONDS, counter: SUSTAINED },
  ];
}

import { type Config, InvalidConfig } from './config.ts';
import type { Env, PhotoLimit, Service } from './env.ts';
import { BodyPlaces } from './http/body-places.ts';
import { heldBytes } from './image/budget.ts';
import type { Codec } from './image/codec.ts';
import { PhotoMemory } from './memory.ts';
import { ModelHost } from './model/host.ts';
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
  const models = new ModelHost({ store: new ModelStore(env.MODELS, config), runtime, memory, config });
  const predictor = new Predictor({ codecs, memory, models, turns: new Turns(), config });
  const photoLimits = createPhotoLimits(config, env);
  const bodyPlaces = config.RATE_LIMITS === 'on' ? new BodyPlaces(config) : undefined;
  return { config, codecs, memory, models, predictor, photoLimits, bodyPlaces };
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

import type { Config } from './config.ts';
import { heldBytes } from './image/budget.ts';
import { codecs } from './image/codecs.ts';
import { PhotoMemory } from './memory.ts';
import { ModelHost } from './model/host.ts';
import { runtimeBytes } from './model/runtime.ts';

/** What the requests of one isolate share: the model, and the memory that is left for photos. */
export interface Isolate {
  readonly models: ModelHost;
  readonly memory: PhotoMemory;
}

/** @param config whose memory limits hold for all requests of the isolate */
export function createIsolate(config: Config): Isolate {
  const { ISOLATE_MEMORY_BYTES, BASELINE_MEMORY_BYTES, MODEL_MEMORY_BYTES } = config;
  const memory = new PhotoMemory(() => {
    const model = Math.max(runtimeBytes(), MODEL_MEMORY_BYTES);
    return ISOLATE_MEMORY_BYTES - BASELINE_MEMORY_BYTES - model - heldBytes(codecs);
  });
  return { models: new ModelHost(memory), memory };
}

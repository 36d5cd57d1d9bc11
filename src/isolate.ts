import type { Config } from './config.ts';
import { heldBytes } from './image/tensor.ts';
import { PhotoMemory } from './memory.ts';
import { ModelHost } from './model/host.ts';
import { runtimeBytes } from './model/runtime.ts';
import { ModelStore } from './model/store.ts';

/** What the requests of one isolate share: the model, and the memory that is left for photos. */
export interface Isolate {
  readonly models: ModelHost;
  readonly memory: PhotoMemory;
}

/** @param bucket holds the models */
export function createIsolate(config: Config, bucket: R2Bucket): Isolate {
  const { ISOLATE_MEMORY_BYTES, BASELINE_MEMORY_BYTES, MODEL_MEMORY_BYTES } = config;
  const memory = new PhotoMemory(() => {
    const model = Math.max(runtimeBytes(), MODEL_MEMORY_BYTES);
    return ISOLATE_MEMORY_BYTES - BASELINE_MEMORY_BYTES - model - heldBytes();
  });
  return { models: new ModelHost({ store: new ModelStore(bucket, config), memory, config }), memory };
}

import type { TestProject } from 'vitest/node';
import { startWorker } from './wrangler.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the service that test files share: the model `brightness`, batches of three, bodies of 1 MB. */
    sharedService: string;
  }
}

/** Starts the service for all test files that do not change its model, its settings or its bucket. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const worker = await startWorker({
    model: 'brightness',
    vars: { MAX_BATCH_PHOTOS: 3, MAX_BODY_BYTES: 1_000_000 },
  });
  project.provide('sharedService', worker.url);
  return worker.stop;
}

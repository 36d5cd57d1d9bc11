import { ApiError } from './errors.ts';
import type { Isolate } from './isolate.ts';
import { logCheck, reasonOf } from './log.ts';
import { shortVersion } from './model/layout.ts';

/**
 * The check that the cron trigger makes: fetches, verifies and probes what production would load now, and logs the
 * result.
 *
 * @throws {ModelUnavailable | ModelUntrusted} a new isolate could not serve: the platform counts the run as failed
 */
export async function checkModel(isolate: Isolate, context: ExecutionContext): Promise<void> {
  const waitUntil = (pending: Promise<unknown>) => context.waitUntil(pending);
  try {
    const { version, manifest, signer } = await isolate.models.check(waitUntil);
    logCheck({
      check: 'ok',
      model: manifest.name,
      version: shortVersion(version),
      signer: shortVersion(signer),
    });
  } catch (error) {
    const code = error instanceof ApiError ? error.code : 'internal';
    logCheck({ check: 'failed', code, reason: reasonOf(error) });
    throw error;
  }
}

import { toFailure } from './errors.ts';
import { explainError, logCheck } from './log.ts';
import type { ModelHost } from './model/host.ts';
import { shortVersion } from './model/layout.ts';

/**
 * The cron trigger's check: fetches, verifies and probes what a new isolate would load, and logs the result.
 *
 * @throws {ModelUnavailable | ModelUntrusted} a new isolate could not serve; the platform records a failed run
 */
export async function checkModel(models: ModelHost, context: Pick<ExecutionContext, 'waitUntil'>): Promise<void> {
  try {
    const { version, manifest, signer } = await models.check((pending) => context.waitUntil(pending));
    logCheck({
      check: 'ok',
      model: manifest.name,
      version: shortVersion(version),
      signer: shortVersion(signer),
    });
  } catch (error) {
    logCheck({ check: 'failed', code: toFailure(error).code, reason: explainError(error) });
    throw error;
  }
}

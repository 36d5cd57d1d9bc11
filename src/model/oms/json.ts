import { InvalidSignature, type InvalidSignatureReason } from './invalid-signature.ts';

/**
 * The JSON in these bytes.
 *
 * @throws {InvalidSignature} with this reason and message: they are not UTF-8, or no JSON
 */
export function parseJson(bytes: Uint8Array, reason: InvalidSignatureReason, message: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new InvalidSignature(reason, message, { cause });
  }
}

import { InvalidSignature, type InvalidSignatureReason } from './invalid-signature.ts';

/**
 * Parses JSON.
 *
 * @throws {InvalidSignature} with this reason and message, if the bytes are not UTF-8 or not JSON
 */
export function parseJson(bytes: Uint8Array, reason: InvalidSignatureReason, message: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new InvalidSignature(reason, message, { cause });
  }
}

import { concat, utf8 } from './bytes.ts';

/**
 * Encodes what a DSSE signature covers: the payload and its type, each preceded by its length, so that bytes signed as
 * one type cannot pass as another.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const type = utf8(payloadType);
  const before = utf8(`DSSEv1 ${type.byteLength} ${payloadType} ${payload.byteLength} `);
  return concat([before, payload]);
}

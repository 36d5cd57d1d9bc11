import { concat, utf8 } from './bytes.ts';

/**
 * What a DSSE signature is made over: the payload together with its type, each with its length before it, so that
 * bytes signed as one type cannot be passed off as another.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const type = utf8(payloadType);
  const before = utf8(`DSSEv1 ${type.byteLength} ${payloadType} ${payload.byteLength} `);
  return concat([before, payload]);
}

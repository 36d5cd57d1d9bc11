import * as z from 'zod';
import { toHex } from './oms/bytes.ts';

/** A SHA-256 digest: 64 lowercase hex digits. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** SHA-256 of the bytes, as 64 lowercase hex digits. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

import { sniffFormat } from './format.ts';
export interface Codec { readonly format: 'jpeg'|'png'|'gif'|'webp'; readonly name: string; readonly mediaTypes: readonly string[] }
export function findCodec(codecs: readonly Codec[], bytes: Uint8Array): Codec | undefined {
  const format = sniffFormat(bytes);
  return codecs.find((codec) => codec.format === format);
}

import { avif } from './avif/codec.ts';
import type { Codec } from './codec.ts';
import { gif } from './gif/codec.ts';
import { heic } from './heic/codec.ts';
import { jpeg } from './jpeg/codec.ts';
import { png } from './png/codec.ts';
import { webp } from './webp/codec.ts';

/** The formats that the service accepts. */
export const codecs: readonly Codec[] = [jpeg, png, gif, webp, avif, heic];

import type { Codec } from './codec.ts';
export const codecs: readonly Codec[] = [
  { format: 'jpeg', name: 'JPEG', mediaTypes: ['image/jpeg'] },
  { format: 'png', name: 'PNG', mediaTypes: ['image/png'] },
  { format: 'gif', name: 'GIF', mediaTypes: ['image/gif'] },
  { format: 'webp', name: 'WebP', mediaTypes: ['image/webp'] },
];

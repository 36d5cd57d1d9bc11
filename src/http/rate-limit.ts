import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv, PhotoLimit } from '../env.ts';
import { RateLimited } from '../errors.ts';

/** The limits as the value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers); undefined for none. */
export function formatPolicy(limits: readonly PhotoLimit[]): string | undefined {
  return limits.map(({ name, photos, seconds }) => `"${name}";q=${photos};w=${seconds}`).join(', ') || undefined;
}

/**
 * Counts one photo for the client's address before reading anything of the request, and reports the limits in the
 * header `RateLimit-Policy`.
 *
 * @throws {RateLimited} the address has sent too many photos
 */
export const addressLimit: MiddlewareHandler<AppEnv> = async (c, next) => {
  const policy = formatPolicy(c.var.service.photoLimits);
  if (policy) c.header('RateLimit-Policy', policy);
  await countPhotos(c, addressKey(c.req.header('CF-Connecting-IP')), 1);
  await next();
};

/**
 * Counts one photo for the client's token, if it has one.
 *
 * @throws {RateLimited} the token has been used for too many photos
 */
export const tokenLimit: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { tokenDigest } = c.var;
  if (tokenDigest) await countPhotos(c, `token:${tokenDigest}`, 1);
  await next();
};

/**
 * Counts the photos of a batch after the first, which the middleware has counted, and surcharges.
 *
 * @throws {RateLimited} the address or the token has sent too many photos with these
 */
export async function countFurther(c: Context<AppEnv>, photos: number): Promise<void> {
  if (photos === 0) return;
  const { tokenDigest } = c.var;
  await countPhotos(c, addressKey(c.req.header('CF-Connecting-IP')), photos);
  if (tokenDigest) await countPhotos(c, `token:${tokenDigest}`, photos);
}

/**
 * How often a photo counts in addition to once, by the estimate of its decoding: one that lasts over a third of the
 * longest permitted counts twice, over two thirds three times.
 */
export function surcharge(milliseconds: number, longest: number): number {
  return Math.max(0, Math.ceil((3 * milliseconds) / longest) - 1);
}

async function countPhotos(c: Context<AppEnv>, key: string, photos: number): Promise<void> {
  const exceeded: PhotoLimit[] = [];
  for (const limit of c.var.service.photoLimits) {
    const counted = await Promise.all(Array.from({ length: photos }, () => limit.counter.limit({ key })));
    if (counted.some(({ success }) => !success)) exceeded.push(limit);
  }
  const [longest] = exceeded.toSorted((a, b) => b.seconds - a.seconds);
  if (!longest) return;
  throw new RateLimited(
    `At most ${longest.photos} photos in ${longest.seconds} seconds are accepted.`,
    longest.seconds,
  );
}

/**
 * The counter key of an address: a whole IPv4 address, or the first 64 bits of an IPv6 address, since one client
 * usually has all addresses that share them. Clients without an address share one counter.
 */
export function addressKey(address: string | undefined): string {
  if (!address?.includes(':')) return `address:${address ?? 'none'}`;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return `address:${mapped}`;
  const [head = '', tail] = address.toLowerCase().split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...after];
  const network = all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `address:${network.join(':')}::/64`;
}

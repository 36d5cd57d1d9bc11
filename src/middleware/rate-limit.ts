import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app.ts';
import { type Config, configOf, type Env } from '../config.ts';
import { RateLimited } from '../errors.ts';

/** A limit over a window, and the platform's counter of it, which tells only whether there was room. */
interface Window {
  readonly name: string;
  readonly photos: number;
  readonly seconds: number;
  readonly counter: RateLimit | undefined;
}

function windowsOf(env: Env, config: Config): readonly Window[] {
  return [
    { name: 'burst', photos: config.BURST_PHOTOS, seconds: config.BURST_SECONDS, counter: env.BURST },
    {
      name: 'sustained',
      photos: config.SUSTAINED_PHOTOS,
      seconds: config.SUSTAINED_SECONDS,
      counter: env.SUSTAINED,
    },
  ];
}

/** The limits as `RateLimit-Policy` tells them; undefined where there are none. */
export function policyOf(env: Env, config: Config): string | undefined {
  if (config.RATE_LIMITS === 'off') return undefined;
  const windows = windowsOf(env, config);
  return windows.map(({ name, photos, seconds }) => `"${name}";q=${photos};w=${seconds}`).join(', ');
}

/**
 * Counts one photo for the client's address before anything of the request is read, and tells the limits in the
 * header `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
 *
 * @throws {RateLimited} the address has sent too many
 */
export const addressLimit: MiddlewareHandler<AppEnv> = async (c, next) => {
  const policy = policyOf(c.env, configOf(c.env));
  if (policy !== undefined) {
    c.header('RateLimit-Policy', policy);
    await count(c, addressKey(c.req.header('CF-Connecting-IP')), 1);
  }
  await next();
};

/**
 * Counts one photo for the client's token, where it has one.
 *
 * @throws {RateLimited} the token has been used for too many
 */
export const tokenLimit: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { tokenDigest } = c.var;
  if (tokenDigest && configOf(c.env).RATE_LIMITS === 'on') await count(c, `token:${tokenDigest}`, 1);
  await next();
};

/**
 * Counts the photos of a batch after its first, which is counted already.
 *
 * @throws {RateLimited} the address or the token has sent too many with these
 */
export async function countFurther(c: Context<AppEnv>, photos: number): Promise<void> {
  if (photos < 1 || configOf(c.env).RATE_LIMITS === 'off') return;
  const { tokenDigest } = c.var;
  await count(c, addressKey(c.req.header('CF-Connecting-IP')), photos);
  if (tokenDigest) await count(c, `token:${tokenDigest}`, photos);
}

async function count(c: Context<AppEnv>, key: string, photos: number): Promise<void> {
  const full: Window[] = [];
  for (const window of windowsOf(c.env, configOf(c.env))) {
    const { counter, name } = window;
    if (!counter) throw new Error(`RATE_LIMITS is on, but wrangler.toml binds no counter for '${name}'`);
    const counted = await Promise.all(Array.from({ length: photos }, () => counter.limit({ key })));
    if (counted.some(({ success }) => !success)) full.push(window);
  }
  const [longest] = full.toSorted((a, b) => b.seconds - a.seconds);
  if (!longest) return;
  throw new RateLimited(
    `At most ${longest.photos} photos in ${longest.seconds} seconds are accepted.`,
    longest.seconds,
  );
}

/**
 * By what an address is counted: all of IPv4, the first 64 bits of IPv6, since whoever has one address there has
 * all that share them. Clients without an address share one counter.
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

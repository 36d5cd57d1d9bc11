import type { Config } from './config.ts';
import type { Failure } from './errors.ts';
import type { BodyPlaces } from './http/body-places.ts';
import type { Codec } from './image/codec.ts';
import type { RequestDetails } from './log.ts';
import type { PhotoMemory } from './memory.ts';
import type { ModelHost } from './model/host.ts';
import type { Predictor } from './predict/predictor.ts';

declare global {
  namespace Cloudflare {
    /** The bindings of wrangler.toml. Its variables are settings: see config.ts. */
    interface Env {
      readonly MODELS: R2Bucket;
      /** Counts photos over the short window. */
      readonly BURST?: RateLimit;
      /** Counts photos over the long window. */
      readonly SUSTAINED?: RateLimit;
      /** Where answers are counted. */
      readonly ANSWERS?: AnalyticsEngineDataset;
    }
  }
}

export type Env = Pick<Cloudflare.Env, 'MODELS' | 'BURST' | 'SUSTAINED' | 'ANSWERS'>;

/** Everything that the requests of one isolate share. */
export interface Service {
  readonly config: Config;
  /** The image formats it accepts. */
  readonly codecs: readonly Codec[];
  readonly memory: PhotoMemory;
  readonly models: ModelHost;
  readonly predictor: Pick<Predictor, 'score'>;
  /** The limits on photos; empty where they are off. */
  readonly photoLimits: readonly PhotoLimit[];
  /** The bodies that arrive at the moment; undefined where limits are off. */
  readonly bodyPlaces: BodyPlaces | undefined;
}

/** A limit over a window, with the platform's counter, which only reports whether there was room. */
export interface PhotoLimit {
  readonly name: string;
  readonly photos: number;
  readonly seconds: number;
  readonly counter: RateLimit;
}

/** What Hono's context carries through middleware and routes. */
export interface AppEnv {
  Variables: {
    service: Service;
    requestId: string;
    details: RequestDetails;
    failure?: Failure;
    /** Whether failures are `{"error": …}`, as the clients of other protocols expect. */
    errorObjects?: boolean;
    /** The SHA-256 of the client's bearer token, hex. */
    tokenDigest?: string;
  };
}

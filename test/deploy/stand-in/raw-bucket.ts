/**
 * A plugin for Miniflare: binds a local R2 bucket without the API around it, as the platform does for remote bindings
 * (`raw`), where what comes in is R2's own protocol over HTTP. The bucket needs an ordinary binding beside it.
 */
interface UnsafeBinding {
  readonly type: string;
  readonly dev?: { readonly options?: { readonly bucket?: string } };
}

interface PluginOptions {
  readonly config: { readonly env?: Readonly<Record<string, UnsafeBinding>> };
}

/** What a Worker calls to be loaded with: the name that `unsafeBindings` refers to. */
export const RAW_BUCKET = 'raw-bucket';

/** Under which service Miniflare keeps its local buckets, and the property that tells which is meant. */
const LOCAL_BUCKETS = 'r2:bucket:entry';
const BUCKET_PROPERTY = 'MINIFLARE_NAMESPACE';

export const plugins = {
  [RAW_BUCKET]: {
    getBindings({ config }: PluginOptions) {
      return Object.entries(config.env ?? {})
        .filter(([, { type }]) => type === `unsafe:${RAW_BUCKET}`)
        .map(([name, { dev }]) => ({
          name,
          service: {
            name: LOCAL_BUCKETS,
            props: { json: JSON.stringify({ [BUCKET_PROPERTY]: dev?.options?.bucket }) },
          },
        }));
    },
    getNodeBindings: () => ({}),
    getServices: () => [],
  },
};

/**
 * A plugin for Miniflare that binds a local R2 bucket as the platform does for remote bindings (`raw`): it receives R2's
 * own protocol over HTTP. The bucket also needs an ordinary binding.
 */
interface UnsafeBinding {
  readonly type: string;
  readonly dev?: { readonly options?: { readonly bucket?: string } };
}

interface PluginOptions {
  readonly config: { readonly env?: Readonly<Record<string, UnsafeBinding>> };
}

/** The name by which `unsafeBindings` refers to the plugin. */
export const RAW_BUCKET = 'raw-bucket';

/** The service that holds Miniflare's local buckets, and the property that selects one. */
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

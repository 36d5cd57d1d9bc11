import { withBucket } from '../../registry/bucket.ts';
import { DEFAULT_CHANNEL } from '../../registry/command.ts';
import { promote } from '../../registry/promote.ts';
import { publish } from '../../registry/publish.ts';
import { type Release, sha256 } from '../../registry/release.ts';
import { createSignature } from '../../registry/sign.ts';
import type { Store } from '../workerd.ts';

type Bucket = Parameters<Parameters<typeof withBucket>[1]>[0];

/** The store's bucket while `use` runs, from a process of its own, with a second version beside the first one. */
export function withVersions<T>(store: Store, use: (versions: Versions) => Promise<T>): Promise<T> {
  return withBucket({ persistTo: store.folder }, async (bucket) => {
    const second = otherwiseResampled(store.release);
    await publish(bucket, second, createSignature(second, store.key), [store.key.publicKey], DEFAULT_CHANNEL);
    return use(new Versions(bucket, store, second.version));
  });
}

/** Two versions of one network that answer differently, and where the channel points. */
export class Versions {
  readonly bucket: Bucket;
  readonly first: string;
  readonly second: string;
  readonly #store: Store;

  constructor(bucket: Bucket, store: Store, second: string) {
    this.bucket = bucket;
    this.first = store.release.version;
    this.second = second;
    this.#store = store;
  }

  /** Moves the channel as `npm run model:promote` does. */
  async promote(version: string): Promise<void> {
    await promote(this.bucket, DEFAULT_CHANNEL, version, [this.#store.key.publicKey]);
  }
}

/** The same network behind another filter: its scores are others, and its probes, which pass by the filter, still hold. */
function otherwiseResampled({ manifest, files }: Release): Release {
  const resampling = manifest.input.resampling === 'bilinear' ? 'bicubic' : 'bilinear';
  const other = {
    ...manifest,
    name: `${manifest.name}-two`,
    input: { ...manifest.input, resampling },
  } as const;
  const bytes = Buffer.from(JSON.stringify(other));
  return { version: sha256(bytes), manifest: other, files: new Map([...files, ['manifest.json', bytes]]) };
}

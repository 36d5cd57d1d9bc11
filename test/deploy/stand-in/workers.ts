import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { ApiError, type Call, type Endpoint, formOf, jsonOf, newJwt, SUBDOMAIN } from './api.ts';

const Metadata = z.object({
  main_module: z.string(),
  compatibility_date: z.string(),
  bindings: z.array(z.looseObject({ type: z.string(), name: z.string() })),
  annotations: z.record(z.string(), z.string()).default({}),
  assets: z.object({ jwt: z.string() }).optional(),
  limits: z.object({ cpu_ms: z.number() }).optional(),
  observability: z.looseObject({}).optional(),
});
export type Metadata = z.infer<typeof Metadata>;

const Manifest = z.object({
  manifest: z.record(z.string(), z.object({ hash: z.string(), size: z.number() })),
});
const Subdomain = z.strictObject({ enabled: z.boolean(), previews_enabled: z.boolean().default(false) });
const Schedules = z.array(z.strictObject({ cron: z.string() }));
const Deployment = z.object({
  strategy: z.literal('percentage'),
  versions: z.array(z.strictObject({ version_id: z.string(), percentage: z.number() })),
});

export interface Version {
  readonly id: string;
  readonly metadata: Metadata;
  /** The uploaded modules: names and sizes. */
  readonly modules: ReadonlyMap<string, number>;
}

/** A Worker in the account. */
export interface Script {
  readonly versions: Version[];
  /** The deployed versions, in order. */
  readonly deployed: string[];
  subdomain: z.infer<typeof Subdomain>;
  schedules: readonly string[];
}

/** The account's Workers and their part of the API. */
export class Workers {
  readonly scripts = new Map<string, Script>();
  /** How many assets were uploaded. */
  sentAssets = 0;
  readonly #assets = new Set<string>();
  readonly #uploads = new Map<string, ReadonlySet<string>>();
  readonly #complete = new Set<string>();
  readonly #hasBucket: (name: string) => boolean;

  constructor(hasBucket: (name: string) => boolean) {
    this.#hasBucket = hasBucket;
  }

  /** Whether a token allows uploading assets. */
  takesAssetsWith = (token: string): boolean => this.#uploads.has(token);

  readonly endpoints: readonly Endpoint[] = [
    {
      method: 'GET',
      path: /^\/workers\/services\/([^/]+)$/,
      answer: (_, name = '') => {
        this.#script(name, 10090);
        const script = { tag: name, tags: [], last_deployed_from: 'wrangler' };
        return { id: name, default_environment: { environment: 'production', script } };
      },
    },
    { method: 'GET', path: /^\/workers\/subdomain$/, answer: () => ({ subdomain: SUBDOMAIN }) },
    { method: 'GET', path: /^\/workers\/scripts\/([^/]+)\/secrets$/, answer: () => [] },
    {
      method: 'GET',
      path: /^\/workers\/scripts\/([^/]+)\/deployments$/,
      answer: (_, name = '') => ({
        deployments: this.#script(name)
          .deployed.map((version_id) => ({
            id: randomUUID(),
            source: 'wrangler',
            strategy: 'percentage',
            author_email: 'owner@example.org',
            created_on: new Date().toISOString(),
            versions: [{ version_id, percentage: 100 }],
          }))
          .toReversed(),
      }),
    },
    {
      method: 'POST',
      path: /^\/workers\/scripts\/([^/]+)\/assets-upload-session$/,
      answer: (call) => this.#beginAssets(call),
    },
    { method: 'POST', path: /^\/workers\/assets\/upload$/, answer: (call) => this.#takeAssets(call) },
    {
      method: 'PUT',
      path: /^\/workers\/scripts\/([^/]+)$/,
      answer: async (call, name = '') => {
        const version = await this.#readVersion(call);
        const script = { versions: [version], deployed: [version.id], schedules: [] };
        this.scripts.set(name, { ...script, subdomain: { enabled: false, previews_enabled: false } });
        return { id: name, tag: name, startup_time_ms: 100, deployment_id: version.id.replaceAll('-', '') };
      },
    },
    {
      method: 'POST',
      path: /^\/workers\/scripts\/([^/]+)\/versions$/,
      answer: async (call, name = '') => {
        const version = await this.#readVersion(call);
        this.#script(name).versions.push(version);
        return { id: version.id, startup_time_ms: 100, resources: { script: { etag: version.id } } };
      },
    },
    {
      method: 'POST',
      path: /^\/workers\/scripts\/([^/]+)\/deployments$/,
      answer: (call, name = '') => {
        const script = this.#script(name);
        const { versions } = Deployment.parse(jsonOf(call));
        for (const { version_id } of versions) {
          if (!script.versions.some(({ id }) => id === version_id)) throw new ApiError(404, 10146, 'no such version');
          script.deployed.push(version_id);
        }
        return { id: randomUUID() };
      },
    },
    {
      method: 'GET',
      path: /^\/workers\/scripts\/([^/]+)\/settings$/,
      answer: (_, name = '') => ({ bindings: this.#script(name).versions.at(-1)?.metadata.bindings }),
    },
    {
      method: 'PATCH',
      path: /^\/workers\/scripts\/([^/]+)\/script-settings$/,
      answer: (_, name = '') => Boolean(this.#script(name)) && {},
    },
    {
      method: 'GET',
      path: /^\/workers\/workers\/([^/]+)$/,
      answer: (_, name = '') => ({ id: name, name, subdomain: this.#script(name).subdomain }),
    },
    {
      method: 'POST',
      path: /^\/workers\/scripts\/([^/]+)\/subdomain$/,
      answer: (call, name = '') => {
        const script = this.#script(name);
        script.subdomain = Subdomain.parse(jsonOf(call));
        return script.subdomain;
      },
    },
    {
      method: 'PUT',
      path: /^\/workers\/scripts\/([^/]+)\/schedules$/,
      answer: (call, name = '') => {
        const script = this.#script(name);
        script.schedules = Schedules.parse(jsonOf(call)).map(({ cron }) => cron);
        return { schedules: script.schedules };
      },
    },
  ];

  #script(name: string, code = 10007): Script {
    const script = this.scripts.get(name);
    if (!script) throw new ApiError(404, code, 'This Worker does not exist on your account.');
    return script;
  }

  #beginAssets(call: Call): object {
    const { manifest } = Manifest.parse(jsonOf(call));
    const hashes = new Set(Object.values(manifest).map(({ hash }) => hash));
    const wanted = [...hashes].filter((hash) => !this.#assets.has(hash));
    const jwt = newJwt();
    if (wanted.length === 0) this.#complete.add(jwt);
    else this.#uploads.set(jwt, new Set(wanted));
    return { jwt, buckets: wanted.length === 0 ? [] : [wanted] };
  }

  async #takeAssets(call: Call): Promise<object> {
    const token = call.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
    const wanted = this.#uploads.get(token) ?? new Set();
    for (const [hash, file] of await formOf(call)) {
      if (!wanted.has(hash)) throw new ApiError(400, 10021, `${hash} was not asked for`);
      if (typeof file === 'string' || file.size === 0) throw new ApiError(400, 10021, `${hash} is empty`);
      this.#assets.add(hash);
      this.sentAssets += 1;
    }
    const jwt = newJwt();
    this.#complete.add(jwt);
    return { jwt };
  }

  /** The version in this upload, if the platform would accept it. */
  async #readVersion(call: Call): Promise<Version> {
    const form = await formOf(call);
    const metadata = Metadata.parse(JSON.parse(String(form.get('metadata'))));
    if (metadata.assets && !this.#complete.has(metadata.assets.jwt)) throw new ApiError(400, 10021, 'no assets');
    for (const { type, bucket_name } of metadata.bindings) {
      if (type === 'r2_bucket' && !this.#hasBucket(String(bucket_name)))
        throw new ApiError(400, 10085, `R2 bucket '${bucket_name}' not found. Please use a different name.`);
    }
    const modules = new Map<string, number>();
    for (const [name, file] of form) if (typeof file !== 'string') modules.set(name, file.size);
    if (!modules.has(metadata.main_module)) throw new ApiError(400, 10021, 'no main module');
    return { id: randomUUID(), metadata, modules };
  }
}

import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KEY_FOLDER, type KeyFiles, writeKeyPair } from '../../registry/keygen.ts';
import { RELEASE_FOLDER } from '../../registry/release.ts';
import { SIGNATURE_FILE } from '../../registry/sign.ts';
import { type TinyModel, tinyRelease } from '../e2e/page-models.ts';

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  /** The hosts that it tried to reach on the closed network. */
  readonly reached: readonly string[];
}

/** A project to deploy: this repository's wrangler.toml, a small model, keys. */
export class Project {
  readonly folder: string;
  readonly keys: KeyFiles;
  /** The options that sign with this project's key. */
  readonly sign: readonly string[];

  private constructor(folder: string, keys: KeyFiles) {
    this.folder = folder;
    this.keys = keys;
    this.sign = ['--key', keys.privateKeyPath];
  }

  static async create(): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), 'husky-ai-deploy-'));
    const project = new Project(folder, await writeKeyPair(join(folder, KEY_FOLDER), 'P-256'));
    await project.configure();
    await project.takeModel('brightness');
    return project;
  }

  /** Writes wrangler.toml with this key for all environments, after `change`. */
  async configure(publicKey = this.keys.publicKeyPem, change = (toml: string) => toml): Promise<void> {
    const toml = (await readFile('wrangler.toml', 'utf8'))
      .replace('main = "', `main = "${resolve()}/`)
      .replace('directory = "', `directory = "${resolve()}/`)
      .replaceAll('MODEL_PUBLIC_KEYS = ""', `MODEL_PUBLIC_KEYS = """\n${publicKey}"""`);
    await writeFile(join(this.folder, 'wrangler.toml'), change(toml));
  }

  /** Puts another, unsigned model where the converter writes. */
  async takeModel(model: TinyModel): Promise<void> {
    const release = await tinyRelease(model);
    const target = join(this.folder, RELEASE_FOLDER);
    await mkdir(target, { recursive: true });
    await rm(join(target, SIGNATURE_FILE), { force: true });
    await cp(release, target, { recursive: true });
    await rm(release, { recursive: true });
  }

  /** Runs `npm run deploy` here, with these variables in an environment without an account. */
  async deploy(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Outcome> {
    const log = join(this.folder, 'reached');
    await writeFile(log, '');
    const child = spawn(process.execPath, [resolve('scripts/deploy.ts'), ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        // A separate home, so that the developer's login is not found.
        HOME: this.folder,
        CI: 'true',
        WRANGLER_SEND_METRICS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        CLOSED_NETWORK_LOG: log,
        ...environment,
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const code = await new Promise<number | null>((done) => child.once('close', done));
    const reached = (await readFile(log, 'utf8')).split('\n').filter((host) => host !== '');
    return { code, output, reached };
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

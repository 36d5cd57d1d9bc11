import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';

/** What a measurement was taken on; nothing that names the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.arch()}`,
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(
        ['wrangler', 'workerd', 'onnxruntime-web', '@cf-wasm/photon'].map((name) => [name, installed(name)]),
      ),
      ...ownDependencies(),
    },
  };
}

/** The line that stands below every chart. */
export function machineLine({ cpu, cores, memoryGiB, system, versions }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; Node ${versions.node}, workerd ${versions.workerd}`;
}

/** Versions that bench/package.json pins, exactly. */
function ownDependencies(): Record<string, string> {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')).dependencies;
}

function installed(name: string): string {
  const from = createRequire(join(import.meta.dirname, '..', 'package.json'));
  // Not every package exports its package.json, so it is looked for beside the folder's files.
  for (const folder of from.resolve.paths(name) ?? []) {
    const version = versionIn(join(folder, name));
    if (version) return version;
  }
  return 'unknown';
}

function versionIn(folder: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { ROOT } from './processes.ts';

/** What a measurement was taken on; nothing in it identifies the machine. */
export const Machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  memoryGiB: z.number(),
  system: z.string(),
  versions: z.record(z.string(), z.string()),
});
export type Machine = z.infer<typeof Machine>;

const PACKAGES = ['wrangler', 'workerd', 'onnxruntime-web', '@cf-wasm/photon', 'sharp'];

const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) });

export async function describeMachine(): Promise<Machine> {
  const { packages } = Lock.parse(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')));
  const versions = PACKAGES.map((name) => [name, packages[`node_modules/${name}`]?.version ?? 'unknown']);
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.arch()}`,
    versions: { node: process.versions.node, ...Object.fromEntries(versions) },
  };
}

/** The line below every chart. */
export const machineLine = ({ cpu, cores, memoryGiB, system, versions }: Machine): string =>
  `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; Node ${versions.node}, workerd ${versions.workerd}`;

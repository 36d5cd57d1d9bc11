import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Returns the path of the first of these programs that is on the PATH; undefined if none is. */
export async function findOnPath(...names: readonly string[]): Promise<string | undefined> {
  const folders = process.env.PATH?.split(delimiter) ?? [];
  for (const path of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    const isProgram = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isProgram) return path;
  }
  return undefined;
}

/**
 * Installs packages if this is root on Debian, and does nothing elsewhere. Excludes Ubuntu, whose browser packages are
 * stubs for snap.
 *
 * @throws {Error} apt-get fails
 */
export async function installOnDebian(...packages: readonly string[]): Promise<void> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!isRoot() || !/^ID=debian$/m.test(release)) return;
  console.error(`Installing Debian’s ${packages.join(', ')}, which takes a minute or two …`);
  const run = execa({ env: { DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    await run`apt-get update -qq`;
    await run`apt-get install -y -qq --no-install-recommends ${packages}`;
  } catch (cause) {
    throw new Error(`Could not be installed. Try: apt-get install ${packages.join(' ')}`, { cause });
  }
}

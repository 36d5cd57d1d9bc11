import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { Launcher } from 'chrome-launcher';
import { execa } from 'execa';
import { type Browser, chromium } from 'playwright-core';

/**
 * Launches a headless Chromium that connects only to the pages it opens. Close it when done.
 *
 * @throws {Error} none is installed and none can be; the message says what to do
 */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: await findChromium(),
    args: [
      // Chromium's sandbox does not run as root.
      ...(isRoot() ? ['--no-sandbox'] : []),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-gpu',
      ...args,
    ],
  });
}

/** Returns the path in the variable `CHROMIUM`, or that of an installed Chrome or Chromium. Root on Debian installs one. */
export async function findChromium(): Promise<string> {
  const named = process.env.CHROMIUM;
  if (named) {
    await access(named, constants.X_OK).catch((cause) => {
      throw new Error(`CHROMIUM is ${named}, which cannot be run.`, { cause });
    });
    return named;
  }
  const found = findInstalled();
  if (found) return found;
  if (isRoot() && (await isDebian())) {
    await install();
    const installed = findInstalled();
    if (installed) return installed;
  }
  throw new Error('No Chromium found. Install Chromium or Chrome, or set CHROMIUM to its path.');
}

function findInstalled(): string | undefined {
  try {
    return Launcher.getFirstInstallation();
  } catch {
    // The launcher throws if it finds none.
    return undefined;
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Excludes Ubuntu, whose `chromium` package is a stub for snap. */
async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(release);
}

async function install(): Promise<void> {
  console.error('Installing Debian’s chromium, which takes a minute or two …');
  const run = execa({ env: { DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    await run`apt-get update -qq`;
    await run`apt-get install -y -qq --no-install-recommends chromium`;
  } catch (cause) {
    throw new Error('Chromium could not be installed. Try: apt-get install chromium', { cause });
  }
}

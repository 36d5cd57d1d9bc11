import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { Launcher } from 'chrome-launcher';
import { type Browser, chromium } from 'playwright-core';
import { installOnDebian, isRoot } from './debian.ts';

/** Chromium's sandbox does not run as root. The other options keep Chromium from connecting to anything but the page. */
export const CHROMIUM_ARGS: readonly string[] = [
  ...(isRoot() ? ['--no-sandbox'] : []),
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
];

/**
 * Launches a headless Chromium that connects only to the pages it opens. Close it when done.
 *
 * @throws {Error} none is installed and none can be; the message says what to do
 */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), args: [...CHROMIUM_ARGS, ...args] });
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
  await installOnDebian('chromium');
  const installed = findInstalled();
  if (installed) return installed;
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

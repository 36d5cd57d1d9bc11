import { findOnPath, installOnDebian } from './debian.ts';

/** Returns the path in the variable `FIREFOX`, or that of an installed Firefox. Root on Debian installs one. */
export async function findFirefox(): Promise<string> {
  const find = () => process.env.FIREFOX || findOnPath('firefox', 'firefox-esr');
  const found = await find();
  if (found) return found;
  await installOnDebian('firefox-esr');
  const installed = await find();
  if (installed) return installed;
  throw new Error(
    'No Firefox found. Install Firefox (on Debian: apt-get install firefox-esr), or set FIREFOX to its path.',
  );
}

export interface WebKit {
  /** The path of WebKitWebDriver, which starts MiniBrowser. */
  readonly driver: string;
  /** The path of Xvfb, which provides the screen: MiniBrowser cannot run without one. */
  readonly screen: string;
}

/** Returns the programs that run WebKitGTK. Root on Debian installs them. */
export async function findWebKit(): Promise<WebKit> {
  const find = async () => {
    const [driver, screen] = [await findOnPath('WebKitWebDriver'), await findOnPath('Xvfb')];
    return driver && screen ? { driver, screen } : undefined;
  };
  const found = await find();
  if (found) return found;
  await installOnDebian('webkit2gtk-driver', 'xvfb');
  const installed = await find();
  if (installed) return installed;
  throw new Error(
    'WebKitWebDriver or Xvfb is missing. Install both (on Debian or Ubuntu: apt-get install webkit2gtk-driver xvfb).',
  );
}

/// <reference lib="dom" />
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import puppeteer, { type LaunchOptions } from 'puppeteer-core';
import { CHROMIUM_ARGS, findChromium } from '../../scripts/chromium.ts';
import { findFirefox, findWebKit } from '../../scripts/other-browsers.ts';
import { freePort, untilAnswers } from '../../scripts/wrangler-dev.ts';
import { WebDriverSession } from './webdriver.ts';

/** A tab of a browser, whichever protocol drives it. */
export interface Tab {
  navigate(url: string): Promise<void>;
  /** Runs a function in the page. Arguments and result travel as JSON. */
  evaluate<A extends readonly unknown[], T>(use: (...args: A) => T, ...args: A): Promise<Awaited<T>>;
  /** Chooses files on the page. */
  choose(...paths: readonly string[]): Promise<void>;
  press(...keys: readonly Key[]): Promise<void>;
  /** Sets the size of the window; WebKit's does not get narrower than some 340 pixels. */
  resize(width: number, height: number): Promise<void>;
  close(): Promise<void>;
}

/** Keys, and how WebDriver encodes them. */
const KEYS = { Tab: '\uE004', Enter: '\uE007' } as const;
type Key = keyof typeof KEYS;

const INPUT = 'input#file';

interface OpenOptions {
  readonly isDark?: boolean;
  /** Firefox protects against fingerprinting: among other things, it returns noise for the pixels of a canvas. */
  readonly resistsFingerprinting?: boolean;
}

/** The browser engines that the page is tested in. */
export const ENGINES = {
  Chromium: {
    find: findChromium,
    open: async ({ isDark = false }: OpenOptions) =>
      openByPuppeteer({
        executablePath: await findChromium(),
        args: [...CHROMIUM_ARGS, `--blink-settings=preferredColorScheme=${isDark ? 0 : 1}`],
      }),
  },
  Firefox: {
    find: findFirefox,
    open: async ({ isDark = false, resistsFingerprinting = false }: OpenOptions) =>
      openByPuppeteer({
        browser: 'firefox',
        executablePath: await findFirefox(),
        extraPrefsFirefox: {
          'ui.systemUsesDarkTheme': isDark ? 1 : 0,
          'privacy.resistFingerprinting': resistsFingerprinting,
        },
      }),
  },
  WebKit: { find: findWebKit, open: openWebKit },
} as const;

export type Engine = keyof typeof ENGINES;

/** Returns an expression that calls the function with the arguments. */
const toExpression = (use: object, args: readonly unknown[]) => `(${use})(...${JSON.stringify(args)})`;

async function openByPuppeteer(options: LaunchOptions): Promise<Tab> {
  const browser = await puppeteer.launch(options);
  const page = await browser.newPage();
  return {
    async navigate(url) {
      await page.goto(url);
    },
    evaluate: <A extends readonly unknown[], T>(use: (...args: A) => T, ...args: A) =>
      page.evaluate<[], () => T>(toExpression(use, args)),
    async choose(...paths) {
      const input = await page.$(INPUT);
      await input?.uploadFile(...paths);
    },
    async press(...keys) {
      for (const key of keys) await page.keyboard.press(key);
    },
    resize: (width, height) => page.setViewport({ width, height }),
    close: () => browser.close(),
  };
}

async function openWebKit({ isDark = false }: OpenOptions): Promise<Tab> {
  const { driver, screen } = await findWebKit();
  // Xvfb chooses a free display, and writes its number to this descriptor.
  const xvfb = spawn(screen, ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [display] = await once(xvfb.stdout, 'data', { signal: AbortSignal.timeout(30_000) });
  const port = await freePort();
  const service = spawn(driver, [`--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, DISPLAY: `:${String(display).trim()}` },
  });
  const stop = async () => {
    for (const child of [service, xvfb]) {
      const ended = once(child, 'exit');
      if (child.kill()) await ended;
    }
  };
  try {
    const session = await startSession(`http://127.0.0.1:${port}`, service, isDark);
    return {
      navigate: (to) => session.navigate(to),
      evaluate: (use, ...given) => session.evaluate(toExpression(use, given)),
      choose: (...paths) => session.type(INPUT, paths.join('\n')),
      press: (...keys) => session.press(keys.map((key) => KEYS[key])),
      resize: (width, height) => session.resize(width, height),
      close: () => session.end().finally(stop),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSession(url: string, service: ChildProcess, isDark: boolean): Promise<WebDriverSession> {
  await untilAnswers(`${url}/status`, service);
  // Full screen has no toolbar, whose width would limit that of the window.
  const args = ['--automation', '--full-screen', ...(isDark ? ['--dark-mode'] : [])];
  return WebDriverSession.start(url, { 'webkitgtk:browserOptions': { args } });
}

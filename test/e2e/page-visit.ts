/// <reference lib="dom" />
import type { Browser, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core';

export interface Visit {
  readonly page: Page;
  /** Script errors, violations of the policy, and requests to other origins. None of them is allowed. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Opens the page at `url` in a fresh browser profile, and records its complaints. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const complaints: string[] = [];
  context.on('request', (request) => {
    if (!isOwn(request.url(), url)) complaints.push(`request to ${request.url()}`);
  });
  context.on('console', (message) => {
    if (message.type() === 'error' && !isExpected(message)) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

function isOwn(requested: string, own: string): boolean {
  return new URL(requested).origin === new URL(own).origin || /^(blob|data):/.test(requested);
}

/**
 * Whether the browser itself reports a condition that tests provoke: a failure of the API, an unreadable file, a request
 * while offline, or the missing favicon of a JSON answer.
 */
function isExpected(message: ConsoleMessage): boolean {
  const text = message.text();
  if (!text.startsWith('Failed to load resource')) return false;
  if (/ERR_(FILE_NOT_FOUND|INTERNET_DISCONNECTED)$/.test(text)) return true;
  return /\/(api|huskyai)\/|\/favicon\.ico$/.test(message.location().url);
}

/** Drops files onto the page, as the operating system does. */
export async function dropFiles(page: Page, paths: readonly string[]): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', {
      type,
      x: 200,
      y: 300,
      data: { items: [], files: [...paths], dragOperationsMask: 1 },
    });
  }
  await devtools.detach();
}

/** Puts a PNG or a text into the clipboard and presses the keys that paste. */
export async function paste(page: Page, content: Uint8Array | string): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const [type, bytes] = typeof content === 'string' ? ['text/plain', content] : ['image/png', content];
  await page.evaluate(
    async ([mediaType, base64]) => {
      const data = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      await navigator.clipboard.write([new ClipboardItem({ [mediaType]: new Blob([data], { type: mediaType }) })]);
    },
    [type, Buffer.from(bytes).toString('base64')] as const,
  );
  await page.keyboard.press('ControlOrMeta+v');
}

/** The CSS pixels by which the page is wider than the window. */
export function horizontalOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

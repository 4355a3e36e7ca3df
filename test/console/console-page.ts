import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchChromium } from '../clients/chromium.ts';
import { freePort } from '../support/free-port.ts';
import { type InProcessOptions, startServer, type TestServer } from '../support/server.ts';

/** The console in a real browser, against a real server. */
export interface ConsoleRun {
  readonly server: TestServer;
  /** A window of its own where nothing is open yet. It is at home at the server, or at `origin`. */
  newWindow(options?: WindowOptions): Promise<Page>;
  /** One that is signed in as the admin, or as the user that is given. */
  open(options?: OpenOptions): Promise<Page>;
  /** Stops the server, and starts one on the same folder and port after `meanwhile`. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface WindowOptions {
  readonly origin?: string;
  readonly context?: BrowserContextOptions;
}

export interface OpenOptions {
  /** The fragment to begin at, such as `#/documents`. */
  readonly at?: string;
  readonly username?: string;
  readonly password?: string;
  readonly context?: BrowserContextOptions;
}

/** KEYSTOW_SCREENSHOTS=1 renews the pictures of docs/console. */
const SCREENSHOTS =
  process.env['KEYSTOW_SCREENSHOTS'] === '1' ? resolve('docs/console') : undefined;

/** Only what hangs is to meet it: browsers share the cores with other tests. */
const TIMEOUT_MS = 60_000;
/** News go after seconds (console/parts/toasts.tsx); a test may look for them later than that. */
const NEWS_STAY = `{
  const { setTimeout } = globalThis;
  const NEWS_MS = [6_000, 20_000];
  globalThis.setTimeout = (run, ms, ...more) =>
    NEWS_MS.includes(ms) ? 0 : setTimeout.call(globalThis, run, ms, ...more);
}`;

export async function startConsole(options: InProcessOptions = {}): Promise<ConsoleRun> {
  // A port that nobody else takes while the server starts anew.
  const settings = { ...options, env: { PORT: String(await freePort()), ...options.env } };
  const [first, browser] = await Promise.all([startServer(settings), launchChromium()]);
  let server = first;
  /** What a page says of mistakes and of what its policy has kept it from. */
  const complaints: string[] = [];

  async function newWindow({ origin: home, context }: WindowOptions = {}): Promise<Page> {
    const window = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      acceptDownloads: true,
      ...context,
    });
    window.setDefaultTimeout(TIMEOUT_MS);
    await window.addInitScript(NEWS_STAY);
    const page = await window.newPage();
    page.on('pageerror', (error) => complaints.push(`${error}`));
    page.on('console', (message) => {
      if (/Content[- ]Security[- ]Policy/i.test(message.text())) complaints.push(message.text());
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== (home ?? server.url) && protocol !== 'blob:' && protocol !== 'data:') {
        complaints.push(`a request to ${request.url()}`);
      }
    });
    return page;
  }

  return {
    get server() {
      return server;
    },
    newWindow,

    async open({ at = '', username = 'admin', password = server.password, context } = {}) {
      const page = await newWindow(context ? { context } : {});
      await page.goto(`${server.url}/console${at}`);
      await signIn(page, username, password);
      return page;
    },

    async restart(meanwhile = async () => {}) {
      const { folder } = server;
      await server.stop({ keep: true });
      await meanwhile();
      server = await startServer({ ...settings, folder });
    },

    async stop() {
      await browser.close();
      await server.stop();
      expect(complaints).toEqual([]);
    },
  };
}

export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('User').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  // The view takes the focus a moment later: keys that are pressed before would go astray.
  await expect.poll(() => page.evaluate('document.activeElement.tagName')).not.toBe('BODY');
}

/** Nothing serious for those who use a keyboard or a screen reader, light and dark. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate<axe.AxeResults>('axe.run()');
    const serious = found.violations.filter(
      ({ impact }) => impact === 'serious' || impact === 'critical',
    );
    const places = serious.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
    );
    expect(places).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
}

/** Nothing reaches past the sides at 360 CSS pixels. The window is as wide as before afterwards. */
export async function expectReadableWhenNarrow(page: Page): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  // Charts and long lists hear of their width a moment later.
  const width = (): Promise<number> => page.evaluate('document.documentElement.scrollWidth');
  await expect.poll(width).toBeLessThanOrEqual(360);
  if (before) await page.setViewportSize(before);
}

/** Counts how often the content of `selector` is changed between two frames, at most, from now on. */
export async function watchDrawing(page: Page, selector: string): Promise<() => Promise<number>> {
  await page.evaluate(`
    globalThis.drawn = { now: 0, most: 0 };
    new MutationObserver(() => {
      drawn.now += 1;
      drawn.most = Math.max(drawn.most, drawn.now);
    }).observe(document.querySelector('${selector}'), {
      childList: true, subtree: true, characterData: true,
    });
    const onFrame = () => {
      drawn.now = 0;
      requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
  `);
  return () => page.evaluate('drawn.most');
}

/** `docs/console/NAME.png`, where it is asked for. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (!SCREENSHOTS) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: resolve(SCREENSHOTS, `${name}.png`) });
}

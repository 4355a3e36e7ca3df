import type { Locator, Page, Request } from 'playwright-core';
import { expect } from 'vitest';
import type { ConsoleRun, OpenOptions } from './console-page.ts';

/** The documents view, as a person finds its parts. */

export function editorOf(page: Page): Locator {
  return page.getByRole('textbox', { name: 'Document as JSON' });
}

export function button(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

export function keyIn(page: Page, key: string): Locator {
  return page.getByRole('option', { name: key, exact: true });
}

export async function openDocument(
  run: ConsoleRun,
  key: string,
  options: OpenOptions = {},
): Promise<Page> {
  const page = await run.open({ at: `#/documents?key=${encodeURIComponent(key)}`, ...options });
  await editorOf(page).waitFor();
  return page;
}

/** In the place of all that the editor has. */
export async function write(page: Page, text: string): Promise<void> {
  await editorOf(page).press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
  await page.getByText('· Not saved').waitFor();
}

export async function expectText(page: Page, text: string): Promise<void> {
  const lines = editorOf(page).locator('.cm-line');
  await expect.poll(async () => (await lines.allTextContents()).join('\n')).toBe(text);
}

export async function save(page: Page): Promise<void> {
  // What is shown may be of an earlier save.
  const stored = page.waitForResponse((answer) => answer.ok() && isWrite(answer.request()));
  await page.keyboard.press('ControlOrMeta+S');
  await stored;
  await page.getByText('Saved as number').last().waitFor();
  await page.getByText('· Not saved').waitFor({ state: 'detached' });
}

function isWrite(request: Request): boolean {
  return ['POST', 'PUT'].includes(request.method()) && /\/data\/[^/]/.test(request.url());
}

/** By its label: the focus may be within a shadow root. */
export async function expectFocus(page: Page, label: string): Promise<void> {
  const focused = `(document.activeElement.shadowRoot ?? document).activeElement.ariaLabel`;
  await expect.poll(() => page.evaluate(focused)).toBe(label);
}

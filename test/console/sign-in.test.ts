import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  screenshot,
  signIn,
  startConsole,
} from './console-page.ts';

describe.skipIf(!hasChromium)('the console', () => {
  let run: ConsoleRun;

  beforeAll(async () => {
    run = await startConsole();
  });

  afterAll(() => run?.stop());

  it('is where a browser gets to from /, by a link on another page, too', async () => {
    const page = await run.newWindow();
    await page.setContent(`<a href="${run.server.url}/">Keystow</a>`);
    await page.getByRole('link').click();
    await page.getByLabel('Password').waitFor();
    expect(page.url()).toBe(`${run.server.url}/console`);
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await screenshot(page, 'sign-in');
    await page.context().close();
  });

  it('says what is wrong with a password, and forgets a right one with the page', async () => {
    const page = await run.newWindow();
    await page.goto(`${run.server.url}/console`);
    await page.getByLabel('User').fill('admin');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The user or the password is wrong').waitFor();
    await signIn(page, 'admin', run.server.password);
    const kept = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])';
    await expect.poll(() => page.evaluate(kept)).toBe('[{},{},""]');
    await page.reload();
    await page.getByLabel('Password').waitFor();
    await expect.poll(() => page.getByLabel('Password').inputValue()).toBe('');
    await page.context().close();
  });

  it('is used with the keyboard alone', async () => {
    const page = await run.open();
    await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
    await page.keyboard.press('Shift+Tab');
    for (let step = 0; step < 20; step += 1) {
      const focused = await page.evaluate<string>('document.activeElement.textContent');
      if (focused === 'Saves') break;
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Saves' }).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Saves');
    await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('H1');
    await page.context().close();
  });
});

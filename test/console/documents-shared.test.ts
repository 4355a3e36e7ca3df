import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  screenshot,
  startConsole,
  watchDrawing,
} from './console-page.ts';
import {
  button,
  editorOf,
  expectFocus,
  expectText,
  keyIn,
  openDocument,
  save,
  write,
} from './documents-page.ts';

describe.skipIf(!hasChromium)('documents that others write, too', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  const put = (key: string, text: string) => rest('PUT', `/data/${key}`, text);
  const stored = async (key: string): Promise<string> => (await rest('GET', `/data/${key}`)).text;

  /** A window with an edit that is not saved, of a document that another window has saved since. */
  async function overtaken(key: string): Promise<Page> {
    expect((await rest('POST', `/data/${key}`, '{"was":0}')).status).toBe(201);
    const [mine, theirs] = await Promise.all([openDocument(run, key), openDocument(run, key)]);
    await write(mine, '{"mine":1}');
    await write(theirs, '{"theirs":2}');
    await save(theirs);
    await theirs.context().close();
    await mine.getByText('What you have written is kept.').waitFor();
    await expectText(mine, '{"mine":1}');
    await mine.keyboard.press('ControlOrMeta+s');
    await mine.getByRole('dialog', { name: 'Changed by someone else' }).waitFor();
    return mine;
  }

  it('are compared, and edited on top of what others have saved', async () => {
    const page = await overtaken('conflict/on-top');
    await page.getByRole('region', { name: 'Yours, not saved' }).getByText('{"mine":1}').waitFor();
    const theirs = page.getByRole('region', { name: /^Theirs, number \d+$/ });
    await expect.poll(() => theirs.locator('pre').textContent()).toBe('{"theirs":2}');
    await expect.poll(() => theirs.locator('mark').textContent()).toBe('theirs":2');
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await button(page, 'Keep editing on top of theirs').click();
    await expectFocus(page, 'Document as JSON');
    await expectText(page, '{"mine":1}');
    expect(await stored('conflict/on-top')).toBe('{"theirs":2}');
    await save(page);
    expect(await stored('conflict/on-top')).toBe('{"mine":1}');
    await page.context().close();
  });

  it('are overwritten only as they were shown', async () => {
    const page = await overtaken('conflict/overwrite');
    await put('conflict/overwrite', '{"again":3}');
    await button(page, 'Overwrite theirs with mine').click();
    await page.getByText('was changed once more').waitFor();
    expect(await stored('conflict/overwrite')).toBe('{"again":3}');
    await page.getByText('{"again":3}').waitFor();
    await button(page, 'Overwrite theirs with mine').click();
    await page.getByText('Saved as number').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await stored('conflict/overwrite')).toBe('{"mine":1}');
    await page.context().close();
  });

  it('take the place of what was written here', async () => {
    const page = await overtaken('conflict/theirs');
    await button(page, 'Take theirs, drop mine').click();
    await expectText(page, '{"theirs":2}');
    await page.getByText('· Not saved').waitFor({ state: 'detached' });
    await editorOf(page).press('ControlOrMeta+z');
    await expectText(page, '{"mine":1}');
    expect(await stored('conflict/theirs')).toBe('{"theirs":2}');
    await page.context().close();
  });

  it('are created again where others have deleted them, or dropped', async () => {
    const again = await overtaken('conflict/deleted');
    await rest('DELETE', '/data/conflict/deleted');
    await button(again, 'Overwrite theirs with mine').click();
    await again.getByRole('dialog', { name: 'Deleted by someone else' }).waitFor();
    await expectAccessible(again);
    await button(again, 'Create it again').click();
    await again.getByText('Saved as number').waitFor();
    expect(await stored('conflict/deleted')).toBe('{"mine":1}');

    await write(again, '{"more":4}');
    await rest('DELETE', '/data/conflict/deleted');
    await again.getByText('Deleted by someone else. The text below is only here').waitFor();
    await again.keyboard.press('ControlOrMeta+s');
    await again.getByText('Saved as number').last().waitFor();
    await expect.poll(() => stored('conflict/deleted')).toBe('{"more":4}');

    await write(again, '{"less":5}');
    await rest('DELETE', '/data/conflict/deleted');
    await button(again, 'Close the document').click();
    await button(again, 'Drop my changes').click();
    await again.getByText('Choose a document').waitFor();
    expect((await rest('GET', '/data/conflict/deleted')).status).toBe(404);
    await again.context().close();
  });

  it('are renewed while nothing was written here, and come and go in the list', async () => {
    for (const key of ['live/a', 'live/c', 'live/\uffee']) await create(key);
    const page = await openDocument(run, 'live/a');
    await page.getByLabel('Keys that begin with').fill('live/');
    await page.getByText('3 keys').waitFor();
    const other = await run.open({ at: '#/documents?prefix=live%2F' });

    const { etag } = await etagOf(put('live/a', '{"now":"other"}'));
    await expectText(page, '{"now":"other"}');
    await page.getByText(`this is number ${etag} now`).waitFor();

    for (const key of ['live/b', 'live/\ud83d\ude00']) {
      await button(other, 'New document').click();
      await other.getByLabel('Key', { exact: true }).fill(key);
      await button(other, 'Create').click();
      await other.getByRole('heading', { level: 2, name: key }).waitFor();
    }
    const all = ['live/a', 'live/b', 'live/c', 'live/\uffee', 'live/\ud83d\ude00'];
    await expect.poll(() => page.getByRole('option').allTextContents()).toEqual(all);
    await expect.poll(() => other.getByRole('option').allTextContents()).toEqual(all);

    await keyIn(other, 'live/a').click();
    await editorOf(other).waitFor();
    await button(other, 'Delete').click();
    await page.getByText('Deleted by someone else.').waitFor();
    await expect.poll(() => page.getByRole('option').allTextContents()).toEqual(all.slice(1));
    await button(other, 'Undo').click();
    await keyIn(page, 'live/a').waitFor();
    await page.getByText('Deleted by someone else.').waitFor({ state: 'detached' });
    await button(page, 'Save').waitFor();
    await page.context().close();
    await other.context().close();
  });

  it('are drawn once in a frame, however many come', async () => {
    const page = await run.open({ at: '#/documents?prefix=many%2F' });
    await page.getByText('No key that you may read').waitFor();
    const drawnInAFrame = await watchDrawing(page, '.documents');
    const batch = Array.from({ length: 1_000 }, (_, at) => ({
      url: `/data/many/${at}`,
      method: 'POST',
      data: {},
    }));
    expect((await rest('POST', '/api/batch', batch)).status).toBe(200);
    await page.getByText('1,000 keys').waitFor();
    expect(await drawnInAFrame()).toBeLessThan(8);
    await page.context().close();
  });

  it('are not left with unsaved edits unasked', async () => {
    await create('leave/1');
    await create('leave/2');
    const page = await run.open({ at: '#/documents?prefix=leave%2F' });
    await keyIn(page, 'leave/1').click();
    await write(page, '{"unsaved":1}');
    const dialog = page.getByRole('dialog', { name: 'Drop what is not saved?' });
    const here = page.url();
    const stay = async (): Promise<void> => {
      await dialog.waitFor();
      await expect.poll(() => page.url()).toBe(here);
      await button(page, 'Keep editing').click();
      await dialog.waitFor({ state: 'detached' });
      await expectText(page, '{"unsaved":1}');
    };

    await page.getByRole('link', { name: 'Saves' }).click();
    await stay();
    await page.evaluate('history.back()');
    await stay();
    await keyIn(page, 'leave/2').click();
    await stay();
    await button(page, 'Sign out').click();
    await stay();
    await page.getByLabel('Keys that begin with').fill('leave');
    await expect.poll(() => page.url()).toContain('prefix=leave&key=leave');
    const asked = page.waitForEvent('dialog');
    const closing = page.close({ runBeforeUnload: true });
    const question = await asked;
    expect(question.type()).toBe('beforeunload');
    await question.dismiss();
    await closing;

    await keyIn(page, 'leave/2').click();
    await dialog.waitFor();
    await button(page, 'Drop my changes').click();
    await page.getByRole('heading', { level: 2, name: 'leave/2' }).waitFor();
    await expectText(page, '{}');
    await page.evaluate('history.back()');
    await page.getByRole('heading', { level: 2, name: 'leave/1' }).waitFor();
    await write(page, '{"unsaved":2}');
    await button(page, 'Sign out').click();
    await button(page, 'Drop my changes').click();
    await page.getByLabel('Password').waitFor();
    expect(await stored('leave/1')).toBe('{}');
    await page.context().close();
  });

  it('look like this in a conflict', async () => {
    const text = (gold: string, map: string): string =>
      `{\n  "name": "Ada Lovelace",\n  "level": 42,\n  "gold": ${gold},\n  "map": "${map}",\n  "isOnline": true\n}`;
    await rest('POST', '/data/players/ada', text('12345678901234567890', 'marsh'));
    for (const name of ['ben', 'chidi', 'dora', 'emil']) await create(`players/${name}`);
    const at = '#/documents?prefix=players%2F&key=players%2Fada';
    const page = await openDocument(run, 'players/ada', { at });
    await write(page, text('12345678901234567990', 'marsh'));
    await put('players/ada', text('12345678901234567890', 'mill'));
    await page.getByText('What you have written is kept.').waitFor();
    await button(page, 'Compare and choose').click();
    await page.getByRole('dialog').waitFor();
    await expectAccessible(page);
    await screenshot(page, 'documents-conflict');
    await page.context().close();
  });

  async function create(key: string): Promise<void> {
    const answer = await rest('POST', `/data/${encodeURIComponent(key)}`, '{}');
    expect(answer.status).toBe(201);
  }

  async function etagOf(answer: ReturnType<Rest>): Promise<{ etag: string }> {
    return { etag: ((await answer).headers.get('etag') ?? '').replaceAll('"', '') };
  }
});

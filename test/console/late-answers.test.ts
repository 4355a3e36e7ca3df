import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type ConsoleRun, startConsole } from './console-page.ts';
import { button, editorOf, expectText, openDocument, write } from './documents-page.ts';

describe.skipIf(!hasChromium)('an answer that comes when something else is shown', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  /** Lets the answer to the next such request come only when it is told to. */
  async function hold(page: Page, method: string, path: string): Promise<Held> {
    let begun = (_route: Route): void => {};
    const route = new Promise<Route>((resolve) => {
      begun = resolve;
    });
    await page.route(`**${path}`, async (next) => {
      if (next.request().method() === method) begun(next);
      else await next.fallback();
    });
    return {
      asked: route,
      async answer() {
        const answered = page.waitForResponse(
          (response) => response.request().method() === method && response.url().endsWith(path),
        );
        await (await route).continue();
        await answered;
      },
    };
  }

  interface Held {
    readonly asked: Promise<unknown>;
    answer(): Promise<void>;
  }

  it('to a deletion does not close the document that was opened meanwhile', async () => {
    for (const key of ['one', 'other']) {
      expect((await rest('POST', `/data/${key}`, '{"was":0}')).status).toBe(201);
    }
    const page = await openDocument(run, 'one');
    const deletion = await hold(page, 'DELETE', '/data/one');
    await button(page, 'Delete').click();
    await deletion.asked;
    await page.getByRole('option', { name: 'other', exact: true }).click();
    await page.getByRole('heading', { name: 'other' }).waitFor();
    await editorOf(page).waitFor();
    await expectText(page, '{"was":0}');
    await write(page, '{"typed":1}');
    await deletion.answer();
    await page.getByText('Deleted').waitFor();
    await expectText(page, '{"typed":1}');
    expect(page.url()).toContain('key=other');
    await page.context().close();
  });

  it('to a creation that was given up is told of, and leads nowhere', async () => {
    const page = await run.open({ at: '#/documents' });
    const creation = await hold(page, 'POST', '/data/late');
    await button(page, 'New document').click();
    await page.getByLabel('Key', { exact: true }).fill('late');
    await button(page, 'Create').click();
    await creation.asked;
    await button(page, 'Cancel').click();
    await page.getByRole('link', { name: 'Users' }).click();
    await creation.answer();
    await page.getByText('Created late.').waitFor();
    expect(page.url()).toContain('#/users');
    await page.context().close();
  });

  it('to a new user does not lead away from another view', async () => {
    const page = await run.open({ at: '#/users?add=yes' });
    const creation = await hold(page, 'PUT', '/api/users/slow');
    await page.getByLabel('Name', { exact: true }).fill('slow');
    await button(page, 'Generate').click();
    await button(page, 'Add the user').click();
    await creation.asked;
    await page.getByRole('link', { name: 'Documents' }).click();
    await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
    await creation.answer();
    await page.getByText('The user slow was added.').waitFor();
    expect(page.url()).toContain('#/documents');
    await page.context().close();
  });

  it('to a changed user leaves what was typed meanwhile', async () => {
    const body = { role: 'member', password: 'pw', grants: [{ prefix: 'a', access: 'read' }] };
    expect((await rest('PUT', '/api/users/typed', body)).status).toBe(201);
    const page = await run.open({ at: '#/users?user=typed' });
    const form = page.getByRole('form', { name: 'Change the user' });
    const prefix = form.getByRole('textbox', { name: 'Prefix of grant 1' });
    await prefix.fill('data/b');
    const change = await hold(page, 'PUT', '/api/users/typed');
    await button(page, 'Save').click();
    await change.asked;
    await prefix.fill('data/bc');
    await change.answer();
    await page.getByText('The user typed was changed.').waitFor();
    await expect.poll(() => prefix.inputValue()).toBe('data/bc');
    expect((await rest('GET', '/api/users')).text).toContain('"data/b"');
    await page.context().close();
  });
});

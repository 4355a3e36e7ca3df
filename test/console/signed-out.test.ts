import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type ConsoleRun, signIn, startConsole } from './console-page.ts';
import { button, openDocument } from './documents-page.ts';

describe.skipIf(!hasChromium)('after signing out', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
    const grants = [{ prefix: 'data/shared/', access: 'read' }];
    const made = await rest('PUT', '/api/users/guest', { role: 'member', password: 'pw', grants });
    expect(made.status).toBe(201);
  });

  afterAll(() => run?.stop());

  it('no news of one user is there for the next one, nor a way back for it', async () => {
    expect((await rest('POST', '/data/secret-plan', '{}')).status).toBe(201);
    const page = await openDocument(run, 'secret-plan');
    await button(page, 'Delete').click();
    await button(page, 'Undo').waitFor();
    await button(page, 'Sign out').click();
    await button(page, 'Sign in').waitFor();
    await button(page, 'Undo').waitFor({ state: 'detached' });
    expect(await page.getByText('secret-plan').count()).toBe(0);
    await signIn(page, 'guest', 'pw');
    await page.getByText('There is nothing here that you may read.').waitFor();
    expect(await page.getByText('secret-plan').count()).toBe(0);
    await page.context().close();
  });

  it('a request that is under way ends, and nothing is told of it', async () => {
    expect((await rest('PUT', '/api/buckets/held', { acl: 'private' })).status).toBe(201);
    const page = await run.open({ at: '#/objects?bucket=held' });
    await page.getByText('There is nothing here yet').waitFor();
    const file = { name: 'report', mimeType: 'text/plain', buffer: Buffer.from('text') };
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByRole('checkbox', { name: 'Select report' }).check();
    await button(page, 'Delete 1 selected').click();
    await page.route('**/held/report', () => {});
    const asked = page.waitForRequest((request) => request.method() === 'DELETE');
    const ended = page.waitForEvent('requestfailed', (request) => request.method() === 'DELETE');
    await button(page, 'Delete report').click();
    await asked;
    await page.keyboard.press('Escape');
    await button(page, 'Sign out').click();
    await ended;
    await signIn(page, 'guest', 'pw');
    expect(await page.getByText('The object was deleted').count()).toBe(0);
    await page.context().close();
  });
});

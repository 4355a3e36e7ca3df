import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type ConsoleRun, signIn, startConsole } from './console-page.ts';

const REFUSED = 'the server does not take this user and password any more';

describe.skipIf(!hasChromium)('a session whose user was changed elsewhere', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  async function open(name: string, at: string): Promise<Page> {
    const body = { role: 'admin', password: name, grants: [] };
    expect((await rest('PUT', `/api/users/${name}`, body)).status).toBe(201);
    const page = await run.open({ at, username: name, password: name });
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    return page;
  }

  /** How many requests were refused so far. */
  function countRefusals(page: Page): () => number {
    let refusals = 0;
    page.on('response', (response) => {
      if (response.status() === 401) refusals += 1;
    });
    return () => refusals;
  }

  /** How many requests with the user's credentials were begun so far. */
  function countRequestsOf(page: Page, name: string): () => number {
    const authorization = `Basic ${btoa(`${name}:${name}`)}`;
    let requests = 0;
    page.on('request', (request) => {
      if (request.headers()['authorization'] === authorization) requests += 1;
    });
    return () => requests;
  }

  it.each(['documents', 'objects', 'saves', 'users', 'live', 'transfer'])(
    'ends by itself in the view %s when the user is deleted, without asking on and on',
    async (view) => {
      const page = await open(`gone-${view}`, `#/${view}`);
      const refusals = countRefusals(page);
      const requests = countRequestsOf(page, `gone-${view}`);
      expect((await rest('DELETE', `/api/users/gone-${view}`)).status).toBe(204);
      await page.getByText(REFUSED).waitFor();
      await expect.poll(() => page.getByLabel('Password').inputValue()).toBe('');
      const begun = requests();
      expect(begun).toBeGreaterThan(0);
      await signIn(page, 'admin', run.server.password);
      await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
      expect(requests()).toBe(begun);
      // One that asks, and what else was under way.
      expect(refusals()).toBeLessThan(6);
      expect(await page.getByText(REFUSED).count()).toBe(0);
      await page.context().close();
    },
  );

  it('ends at the next request where there is no feed to tell', async () => {
    const name = 'no-feed';
    expect(
      (await rest('PUT', `/api/users/${name}`, { role: 'admin', password: name, grants: [] }))
        .status,
    ).toBe(201);
    const page = await run.open({ at: '#/documents' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.route('**/api/changes*', (route) => route.abort());
    await signIn(page, name, name);
    await page.getByRole('status').getByText('Reconnecting').waitFor();
    const body = { role: 'admin', password: 'another' };
    expect((await rest('PUT', `/api/users/${name}`, body)).status).toBe(200);
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByText(REFUSED).waitFor();
    await signIn(page, name, 'another');
    await page.getByRole('link', { name: 'no-feed', exact: true }).waitFor();
    await page.context().close();
  });

  it('goes on where one request alone was overtaken by the change', async () => {
    const page = await open('overtaken', '#/documents');
    await page.route('**/api/users', (route) =>
      route.fulfill({ status: 401, json: { error: 'The user overtaken was changed meanwhile.' } }),
    );
    const asked = page.waitForResponse((response) => response.url().endsWith('/data?limit=1'));
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('alert').getByText('was changed meanwhile').waitFor();
    expect((await asked).status()).toBe(200);
    await page.unroute('**/api/users');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'overtaken', exact: true }).waitFor();
    await page.context().close();
  });

  it('takes up the feed again where that alone was overtaken', async () => {
    const page = await open('overtaken-feed', '#/documents');
    await page.getByRole('button', { name: 'Sign out' }).click();
    const refused = { status: 401, json: { error: 'The user was changed meanwhile.' } };
    await page.route('**/api/changes*', (route) => route.fulfill(refused), { times: 1 });
    const taken = page.waitForResponse(
      (response) => response.url().includes('/api/changes') && response.status() === 200,
    );
    await signIn(page, 'overtaken-feed', 'overtaken-feed');
    await taken;
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    await page.context().close();
  });

  it('stays, and stays live, when grants or the role change', async () => {
    const page = await open('regranted', '#/users');
    const refusals = countRefusals(page);
    const grants = [{ prefix: 'data/', access: 'read' }];
    await rest('PUT', '/api/users/regranted', { role: 'admin', grants });
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('row', { name: 'regranted (you)' }).waitFor();
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    expect(refusals()).toBe(0);
    await page.context().close();
  });
});

import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { visible } from '../../console/parts/visible.ts';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type ConsoleRun, expectReadableWhenNarrow, startConsole } from './console-page.ts';

/** What somebody may store who wants more than that. Some would set `hit`, others lead elsewhere. */
const NAMES = [
  '<img src=x onerror="window.hit=1">',
  'javascript:window.hit=1',
  "a\u202egpj' style='color:red",
];
const PAGE = '<script>window.hit = 1; top.hit = 1;</script>';

describe.skipIf(!hasChromium)('what others have chosen', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
    const made: { readonly status: number }[] = [
      await rest('PUT', '/api/buckets/evil', { acl: 'private' }),
      await rest('PUT', '/api/buckets/game', { acl: 'private', saves: true, savePrefix: NAMES[0] }),
    ];
    for (const name of NAMES) {
      const path = encodeURIComponent(name);
      made.push(await rest('POST', `/data/${path}`, { [name]: name }));
      made.push(await storePage(path));
      const grants = [{ prefix: `data/${name}`, access: 'read' }];
      const user = { role: 'member', password: 'pw', grants };
      if (!name.includes(':')) made.push(await rest('PUT', `/api/users/${path}`, user));
    }
    expect(made.map(({ status }) => status).filter((status) => status > 201)).toEqual([]);
  });

  afterAll(() => run?.stop());

  async function storePage(path: string): Promise<{ readonly status: number }> {
    const token = Buffer.from(`admin:${run.server.password}`).toString('base64');
    const headers = {
      authorization: `Basic ${token}`,
      'content-type': 'text/html',
      'content-disposition': 'inline; filename="<b>.html"',
      'x-amz-meta-title': PAGE,
    };
    return fetch(`${run.server.url}/evil/${path}`, { method: 'PUT', body: PAGE, headers });
  }

  it('does nothing but show, whichever view a link leads to', async () => {
    const page = await run.open();
    const look = async (fragment: string, shown: Locator): Promise<void> => {
      await page.evaluate(`location.hash = ${JSON.stringify(fragment)}`);
      await shown.first().waitFor();
      expect(await page.evaluate('window.hit')).toBeUndefined();
    };
    for (const name of NAMES) {
      const [value, text] = [encodeURIComponent(name), visible(name)];
      const heading = page.getByRole('heading', { level: 2, name: text, exact: true });
      await look(`#/documents?key=${value}&prefix=${value}`, heading);
      await look(`#/objects?bucket=evil&key=${value}`, page.getByTitle('Text of '));
      await look(`#/live?prefix=/data/${value}&since=oldest`, page.getByText(`/data/${text}`));
      await look(`#/saves?bucket=${value}`, page.getByText('There is no bucket'));
      await look(`#/saves?bucket=game&prefix=${value}`, page.getByText('Nothing is saved under'));
      if (!name.includes(':')) await look(`#/users?user=${value}`, heading);
    }
    await expectReadableWhenNarrow(page);
    await page.context().close();
  });

  it('a link to what no URL can name shows nothing else in its place', async () => {
    const page = await run.open({ at: '#/documents?key=..' });
    await page.getByText('No URL can name').waitFor();
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    await page.context().close();
  });
});

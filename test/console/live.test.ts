import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { put } from '../support/batch.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  screenshot,
  startConsole,
  watchDrawing,
} from './console-page.ts';

/** More of them make a better picture. */
const READINGS = process.env['KEYSTOW_SCREENSHOTS'] === '1' ? 20 : 3;
const HOSTILE = `<script>alert(1)</script>\u202e"${'ü'.repeat(200)}\n`;

describe.skipIf(!hasChromium)('the live view', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  it('shows what was written, and what is written, newest on top, without a reload', async () => {
    await rest('PUT', '/data/before/1', {}, { 'if-none-match': '*' });
    const page = await run.open({ at: '#/live' });
    await row(page, '/data/before/1').waitFor();
    await rest('POST', '/data/order/a');
    await rest('POST', '/data/order/b');
    await rest('DELETE', '/data/order/a');
    await expect
      .poll(() => shown(page, 3))
      .toEqual(['delete /data/order/a', 'put /data/order/b', 'put /data/order/a']);
    const etag = (await rest('GET', '/data/order/b')).headers.get('etag');
    await row(page, '/data/order/b')
      .getByRole('cell', { name: etag?.slice(1, -1) ?? '', exact: true })
      .waitFor();
    await page.context().close();
  });

  it('shows hostile keys as text, and leads to where they are shown', async () => {
    await rest('POST', `/data/${encodeURIComponent(HOSTILE)}`);
    await rest('PUT', '/api/buckets/pictures', {});
    await putObject(run, 'pictures', 'cats/1 ü.png', 'miau');
    const page = await run.open({ at: '#/live' });
    const object = page.getByRole('link', { name: '/pictures/cats/1 ü.png', exact: true });
    await object.waitFor();
    await page.getByText('⟨U+202E⟩').first().waitFor();
    await expectReadableWhenNarrow(page);
    await object.click();
    await page.getByRole('heading', { level: 1, name: 'Objects' }).waitFor();
    expect(fragment(page)).toEqual(['objects', { bucket: 'pictures', key: 'cats/1 ü.png' }]);
    await page.goBack();
    await page.locator('.where a', { hasText: '<script>' }).click();
    await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
    expect(fragment(page)).toEqual(['documents', { key: HOSTILE }]);
    await page.context().close();
  });

  it('filters by the beginning of paths, and tells the history of one', async () => {
    await rest('POST', '/data/told');
    await rest('PUT', '/data/told', { n: 1 });
    await batch(rest, 'others', 150);
    const page = await run.open({ at: '#/live' });
    await row(page, '/data/others/149').waitFor();
    await page.getByLabel('Paths that begin with').fill('/data/told');
    await expect.poll(() => shown(page, 9)).toEqual(['put /data/told', 'put /data/told']);
    expect(fragment(page)).toEqual(['live', { prefix: '/data/told' }]);
    await rest('POST', '/data/other');
    await rest('DELETE', '/data/told');
    await expect.poll(() => shown(page, 1)).toEqual(['delete /data/told']);
    await expect.poll(() => page.getByRole('row').count()).toBe(4);

    await page.getByLabel('Paths that begin with').fill('');
    await row(page, '/data/other').waitFor();
    await page.getByRole('link', { name: 'History of /data/told' }).click();
    await expect.poll(() => shown(page, 9)).toHaveLength(3);
    expect(fragment(page)).toEqual(['live', { prefix: '/data/told', since: 'oldest' }]);
    const etag = (await rest('GET', '/data/others/0')).headers.get('etag');
    await page.getByLabel('After number').fill(etag?.slice(1, -1) ?? '');
    await page.getByRole('button', { name: 'Show' }).click();
    await expect.poll(() => shown(page, 9)).toEqual(['delete /data/told']);
    await page.context().close();
  });

  it('says in words that a number is not in the log', async () => {
    const page = await run.open({ at: '#/live?since=999999999' });
    await page.getByRole('alert').getByText('999999999').waitFor();
    await page.getByRole('link', { name: /^Begin at/ }).click();
    await expect.poll(() => fragment(page)[1]['since']).not.toBe('999999999');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('pauses, counts what waits, and goes on', async () => {
    await rest('POST', '/data/pause/before');
    const page = await run.open({ at: '#/live?prefix=/data/pause/' });
    await row(page, '/data/pause/before').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    for (const name of ['a', 'b', 'c']) await rest('POST', `/data/pause/${name}`);
    await page.getByRole('button', { name: 'Resume (3 waiting)' }).waitFor();
    await expect.poll(() => shown(page, 9)).toEqual(['put /data/pause/before']);
    await page.getByRole('button', { name: 'Resume (3 waiting)' }).click();
    await expect.poll(() => shown(page, 1)).toEqual(['put /data/pause/c']);
    await expect.poll(() => shown(page, 9)).toHaveLength(4);
    await page.context().close();
  });

  it('stays quick with thousands of changes, and keeps the newest thousand', async () => {
    await rest('POST', '/data/calm');
    const page = await run.open({ at: '#/live' });
    await row(page, '/data/calm').waitFor();
    const drawnInAFrame = await watchDrawing(page, '.change-table');
    const writing = (async () => {
      for (let n = 0; n < 6; n += 1) await batch(rest, `burst/${n}`, 500);
    })();
    const pause = page.getByRole('button', { name: /^Pause/ });
    await row(page, '/data/burst/', false).first().waitFor();
    await pause.click();
    await page.getByRole('button', { name: /^Resume/ }).click();
    await writing;
    await expect.poll(() => shown(page, 1)).toEqual(['put /data/burst/5/499']);
    expect(await drawnInAFrame()).toBeLessThan(8);
    await page.getByText('1,000 changes shown').waitFor();
    expect(await page.locator('.change-table tbody tr').count()).toBeLessThan(80);
    // The oldest of them is at the end.
    const list = page.getByRole('region', { name: 'List of changes' });
    await list.focus();
    await page.keyboard.press('End');
    await row(page, '/data/burst/4/0').waitFor();
    // Who reads there stays there.
    await rest('POST', '/data/burst/more');
    await page.getByText('1,000 changes shown').waitFor();
    await row(page, '/data/burst/4/1').waitFor();
    await page.context().close();
  });

  it('reads a long log from a number on, a thousand at a time', async () => {
    for (let n = 0; n < 5; n += 1) await batch(rest, `long/${n}`, 500);
    const page = await run.open({ at: '#/live?since=oldest&prefix=data/long/' });
    await expect.poll(() => shown(page, 1)).toEqual(['put /data/long/1/499']);
    await page.getByRole('button', { name: 'Read on' }).click();
    await expect.poll(() => shown(page, 1)).toEqual(['put /data/long/3/499']);
    await page.getByRole('button', { name: 'Read on' }).click();
    await expect.poll(() => shown(page, 1)).toEqual(['put /data/long/4/499']);
    await page.context().close();
  });

  it('draws requests, latency and storage, in words and as a table, too', async () => {
    const page = await run.open({ at: '#/live' });
    const requests = page.getByRole('region', { name: 'Requests' });
    await requests.locator('canvas').waitFor();
    await requests.getByText('Last values').click();
    for (let n = 0; n < 50; n += 1) await rest('PUT', '/data/before/1', { n });
    const seconds = requests.getByRole('row').locator('td:nth-of-type(1)');
    await expect
      .poll(async () => Math.max(0, ...(await seconds.allTextContents()).map(numberOf)))
      .toBeGreaterThan(0);
    for (const title of ['Latency', 'Writing to disk', 'Storage', 'Event loop delay', 'Clients']) {
      const first = page.getByRole('region', { name: title }).locator('.legend strong').first();
      await expect
        .poll(async () => {
          // The next reading has something to tell, whenever it comes.
          await rest('PUT', '/data/before/1', {});
          return numberOf(await first.textContent());
        })
        .toBeGreaterThan(0);
    }
    await page.getByText('Last number').waitFor();
    await expect.poll(() => page.locator('.plot canvas').count()).toBe(8);
    await page.context().close();
  });

  it('draws in the colours of light and dark, as wide as there is room', async () => {
    const page = await run.open({ at: '#/live', context: { colorScheme: 'light' } });
    const chart = page.getByRole('region', { name: 'Storage' });
    await expect.poll(() => colours(page)).toContain('26,107,60');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => colours(page)).toContain('127,214,160');
    await page.setViewportSize({ width: 360, height: 740 });
    const width = async () => (await chart.locator('canvas').boundingBox())?.width ?? 0;
    await expect.poll(width).toBeLessThan(340);
    await expect.poll(width).toBeGreaterThan(240);
    await page.context().close();
  });

  it('shows members what their grants cover, and says whom the metrics are for', async () => {
    const grants = [{ prefix: 'data/mine/', access: 'read' }];
    await rest('PUT', '/api/users/mia', { password: 'mia mia mia', role: 'member', grants });
    await rest('POST', '/data/mine/1');
    await rest('POST', '/data/theirs/1');
    const user = { username: 'mia', password: 'mia mia mia' };
    const page = await run.open({ at: '#/live', ...user });
    await row(page, '/data/mine/1').waitFor();
    await rest('POST', '/data/theirs/2');
    await rest('POST', '/data/mine/2');
    await row(page, '/data/mine/2').waitFor();
    await expect.poll(() => shown(page, 9)).toEqual(['put /data/mine/2', 'put /data/mine/1']);
    await page.getByText('metrics of the server are for admins').waitFor();
    await expect.poll(() => page.locator('canvas').count()).toBe(0);
    await page.context().close();
  });

  it('is used by everybody, and on a narrow screen', async () => {
    const page = await run.open({ at: '#/live' });
    await page.getByRole('region', { name: 'Clients' }).locator('canvas').waitFor();
    for (let n = 0; n < READINGS; n += 1) {
      await batch(rest, `players/${n}`, 5 + n);
      await rest('DELETE', `/data/players/${n}/3`);
      await page.waitForResponse((answer) => answer.url().endsWith('/api/metrics'));
    }
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await screenshot(page, 'live');
    await page.context().close();
  });
});

describe.skipIf(!hasChromium)('the live view of a server that starts anew', () => {
  it('goes on without a missed change, and with a gap in the charts', async () => {
    const run = await startConsole();
    const rest = createRest(run.server.url);
    const page = await run.open({ at: '#/live' });
    await rest('POST', '/data/1');
    await row(page, '/data/1').waitFor();
    const requests = page.getByRole('region', { name: 'Requests' });
    await expect
      .poll(async () => numberOf(await requests.locator('strong').first().textContent()))
      .toBeGreaterThan(0);

    await run.restart(async () => {
      await page.getByText('The connection was lost').waitFor();
      await page.getByText('Reconnecting').waitFor();
      await page.getByText('What was read before stays').waitFor();
      await row(page, '/data/1').waitFor();
    });
    await rest('POST', '/data/2');
    await rest('POST', '/data/3');
    await expect.poll(() => shown(page, 3)).toEqual(['put /data/3', 'put /data/2', 'put /data/1']);
    await page.getByText('The connection was lost').waitFor({ state: 'detached' });
    await page.getByText('What was read before stays').waitFor({ state: 'detached' });
    await requests.getByText('Last values').click();
    const values = requests.locator('td:nth-of-type(1)');
    await expect.poll(async () => (await values.allTextContents()).includes('–')).toBe(true);
    for (const value of await values.allTextContents()) expect(value).not.toMatch(/-|−/);
    await run.stop();
  });
});

describe.skipIf(!hasChromium)('the live view of a server whose log is short', () => {
  it('says that changes were missed, and where', async () => {
    const env = { CHANGES_KEEP: '20' };
    const run = await startConsole({ env });
    const page = await run.open({ at: '#/live' });
    await createRest(run.server.url)('POST', '/data/seen');
    await row(page, '/data/seen').waitFor();
    await run.restart(async () => {
      // What was written before the last start is trimmed by what is written after it.
      for (const name of ['first', 'second']) {
        const unheard = await startServer({ env, folder: run.server.folder });
        const rest = createRest(unheard.url);
        await Promise.all(
          Array.from({ length: 100 }, (_, n) => rest('POST', `/data/${name}/${n}`)),
        );
        await unheard.stop({ keep: true });
      }
    });
    await page.getByText('Changes were missed: the server no longer keeps them').waitFor();
    await createRest(run.server.url)('POST', '/data/after');
    await row(page, '/data/after').waitFor();
    await page.getByText(/^Changes were missed here, up to number \d+\.$/).waitFor();
    await row(page, '/data/seen').waitFor();
    await page.getByRole('link', { name: 'Read what it keeps' }).click();
    await page.getByText('Changes were missed').first().waitFor({ state: 'detached' });
    await run.stop();
  });
});

/** Of the row with that path; or with one that begins so. */
function row(page: Page, path: string, isExact = true) {
  const link = page.getByRole('link', { name: path, exact: isExact });
  return page.locator('.change-table tbody tr').filter({ has: link });
}

/** The first rows, from the top. */
async function shown(page: Page, count: number): Promise<string[]> {
  const rows = await page.evaluate<string[]>(`
    [...document.querySelectorAll('.change-table tbody tr')]
      .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
      .map((row) => row.className + ' ' + row.querySelector('.where')?.textContent)
  `);
  return rows.slice(0, count);
}

function fragment(page: Page): [string, Record<string, string>] {
  const [view = '', query = ''] = new URL(page.url()).hash.slice(2).split('?');
  return [view, Object.fromEntries(new URLSearchParams(query))];
}

async function batch(rest: Rest, below: string, count: number): Promise<void> {
  const members = Array.from({ length: count }, (_, n) => ({
    ...put(`${below}/${n}`, { n }),
    method: 'POST',
  }));
  expect((await rest('POST', '/api/batch', members)).status).toBe(200);
}

async function putObject(run: ConsoleRun, bucket: string, key: string, body: string) {
  const rest = createRest(run.server.url);
  const { json } = await rest('POST', '/api/presign', { method: 'PUT', bucket, key });
  const url = typeof json === 'object' && json && 'url' in json ? String(json.url) : '';
  expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
}

/** Of a value as the charts write it. */
function numberOf(text: string | null): number {
  return Number.parseFloat(text?.replaceAll(',', '') ?? '') || 0;
}

/** The colours that are on the canvas of the storage chart. */
async function colours(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const canvas = [...document.querySelectorAll('.chart')]
      .find((chart) => chart.querySelector('h3').textContent === 'Storage')
      ?.querySelector('canvas');
    if (!canvas) return [];
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] === 255) found.add(data.slice(at, at + 3).join());
    }
    return [...found];
  })()`);
}

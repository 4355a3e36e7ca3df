import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createClient,
  type KeystowClient,
  type Saves,
  uploadForm,
} from '../../shared/client/index.ts';
import { hasChromium } from '../clients/chromium.ts';
import { PASSWORD } from '../support/environment.ts';
import { createRest, type Rest } from '../support/rest.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  screenshot,
  startConsole,
} from './console-page.ts';

const PREFIX = '10.CTR_JWVJ_datastore';
const SLOT = '12345678901';
const HOUR = 3_600_000;
/** As far apart as one would find them. */
const SAVED_AFTER = [
  0,
  40_000,
  2 * HOUR,
  26 * HOUR,
  27 * HOUR,
  9 * 24 * HOUR,
  9 * 24 * HOUR + 90_000,
];

/** Much of it is the same in each version, as in real ones; the byte at 0x10 is the version, and words are at 0x40. */
function contentOf(version: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1_500 + version * 16);
  for (let at = 0; at < 0x40; at += 1) bytes[at] = (at * 7) & 0xff;
  bytes.set(new TextEncoder().encode('SAVE'), 0);
  bytes[16] = version;
  bytes.set(new TextEncoder().encode('Héro of <Time>'), 0x40);
  return bytes;
}

describe.skipIf(!hasChromium)('the saves view', () => {
  let run: ConsoleRun;
  let rest: Rest;
  let client: KeystowClient;
  let saves: Saves;
  let now = Date.now() - 12 * 24 * HOUR;

  async function save(
    slot: number | string,
    ...contents: Uint8Array<ArrayBuffer>[]
  ): Promise<void> {
    for (const content of contents) await saves.upload(slot, new Blob([content]));
  }

  async function bytesOf(slot: string, version: number): Promise<Uint8Array> {
    const { body } = await saves.read(slot, version);
    return new Uint8Array(await new Response(body).arrayBuffer());
  }

  beforeAll(async () => {
    run = await startConsole({
      now: () => now,
      env: { PUBLIC_URL: 'https://saves.example:6375/keystow' },
    });
    rest = createRest(run.server.url);
    client = createClient({
      url: run.server.url,
      credentials: { username: 'admin', password: PASSWORD },
    });
    // PUBLIC_URL is another host: forms go where the server is.
    const here = client.saves('ctr-saves');
    saves = {
      ...here,
      async upload(slot, file) {
        const form = await here.sign(slot, { size: file.size });
        const url = `${run.server.url}/ctr-saves`;
        const { etag } = await uploadForm({ ...form, url }, file);
        return { version: form.version, key: form.key, etag };
      },
    };
    await rest('PUT', '/api/buckets/ctr-saves', {
      saves: true,
      savePrefix: PREFIX,
      keepVersions: 6,
    });
    const begun = now;
    for (const [at, after] of SAVED_AFTER.entries()) {
      now = begun + after;
      await save(SLOT, contentOf(at + 1));
    }
    now = Date.now();
    const slots = Array.from({ length: 299 }, (_, at) => 1_000 + at * 3);
    for (let at = 0; at < slots.length; at += 8) {
      await Promise.all(slots.slice(at, at + 8).map((slot) => save(slot, contentOf(1))));
    }
  });

  afterAll(async () => {
    client?.close();
    await run?.stop();
  });

  const timeLine = (page: Page) => page.getByRole('list', { name: 'Versions, the newest first' });
  const versionsOf = (page: Page) =>
    timeLine(page)
      .getByRole('link', { name: /^Version/ })
      .allTextContents();
  const rowAt = (page: Page, offset: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: offset }) });
  const cellsAt = (page: Page, offset: string) => rowAt(page, offset).getByRole('cell');

  async function find(page: Page, slot: string): Promise<void> {
    await page.getByLabel('Slot number').fill(slot);
    await page.getByRole('button', { name: 'Find', exact: true }).click();
  }

  it('finds a slot by its number and shows its versions, the newest first', async () => {
    const page = await run.open({ at: '#/saves' });
    const list = page.getByRole('listbox', { name: 'Slots' });
    await list.getByRole('option', { name: /^00000001000/ }).waitFor();
    await find(page, '1003');
    await page.getByRole('heading', { name: 'Slot 00000001003' }).waitFor();
    await list.getByRole('option', { name: /^00000001003/, selected: true }).waitFor();
    await expect
      .poll(() => list.getByRole('option').first().textContent())
      .toContain('00000001003');
    await page.getByRole('link', { name: 'Show all' }).click();
    await list.getByRole('option', { name: /^00000001000/ }).waitFor();

    await find(page, SLOT);
    await page.getByText('6 kept versions, the latest is 7.').waitFor();
    expect(page.url()).toContain(`slot=${SLOT}`);
    await expect
      .poll(() => versionsOf(page))
      .toEqual([7, 6, 5, 4, 3, 2].map((at) => `Version ${at}`));
    const items = await timeLine(page).getByRole('listitem').allInnerTexts();
    expect(items[0]).toMatch(/latest/);
    expect(items[0]).toMatch(/\+16 B/);
    expect(items[0]).toMatch(/1 min 30 s after version 6/);
    expect(items[1]).toMatch(/7 days 21 h after version 5/);
    expect(items.at(-1)).toMatch(/Version 1 is not kept: .* keeps the newest 6/);
    const versions = await saves.versions(SLOT);
    const times = timeLine(page).locator('time');
    for (const [at, { time }] of versions.toReversed().entries()) {
      await expect.poll(() => times.nth(at).getAttribute('datetime')).toBe(time);
    }
    await page.context().close();
  });

  it('reads all slots as one scrolls, and chooses with the keyboard', async () => {
    const page = await run.open({ at: '#/saves' });
    const list = page.getByRole('listbox', { name: 'Slots' });
    await list.getByRole('option').first().waitFor();
    await list.focus();
    // As many pages as it takes.
    const last = list.getByRole('option', { name: SLOT });
    await expect
      .poll(async () => {
        await page.keyboard.press('End');
        return last.count();
      })
      .toBe(1);
    expect(await list.getByRole('option').count()).toBeLessThan(100);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `Slot ${SLOT}` }).waitFor();
    await page.goBack();
    await page.getByText('Choose a slot, or find one').waitFor();
    await page.context().close();
  });

  it('tells which used slots are beside one that is not', async () => {
    const page = await run.open({ at: '#/saves' });
    await find(page, '1004');
    await page.getByText('Nothing was ever saved here.').waitFor();
    await page.getByText('after it 00000001006').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: '00000001003' }).click();
    await page.getByText('1 kept version, the latest is 1.').waitFor();
    await find(page, 'x');
    await page.getByRole('alert').getByText('at most 11 digits').waitFor();
    // Under another n, too, one is told where there are saves.
    await page.getByLabel('n', { exact: true }).fill('2');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('Nothing is saved under').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: '1', exact: true }).click();
    await page.getByRole('option', { name: /^00000001000/ }).waitFor();
    await page.context().close();
  });

  it('shows bytes, finds some, and compares two versions', async () => {
    const page = await run.open({ at: `#/saves?bucket=ctr-saves&slot=${SLOT}` });
    await timeLine(page).getByRole('link', { name: 'Version 6', exact: true }).click();
    await page.getByRole('heading', { name: 'Version 6' }).waitFor();
    await rowAt(page, '00000000').waitFor();
    const focused = 'document.activeElement.textContent';
    await expect.poll(() => page.evaluate(focused)).toBe('Version 6');
    const stored = await bytesOf(SLOT, 6);
    for (const at of [0, 0x10, 0x40]) {
      const offset = at.toString(16).padStart(8, '0');
      const bytes = Buffer.from(stored.subarray(at, at + 16));
      const [hex, ascii] = await cellsAt(page, offset).allTextContents();
      expect(hex).toBe(bytes.toString('hex').replace(/..\B/g, '$& '));
      expect(ascii).toBe(bytes.toString('latin1').replace(/[^ -~]/g, '.'));
    }
    await page.getByLabel('Offset', { exact: true }).fill('0x5d0');
    await page.getByRole('button', { name: 'Go' }).click();
    await page.getByText('Byte at offset 0x5d0 (1,488).').waitFor();
    await rowAt(page, '000005d0').locator('mark').first().waitFor();
    await page.getByLabel('Text or bytes').fill('Héro');
    await page.getByRole('button', { name: 'Find next' }).click();
    await page.getByText('at offset 0x40 (64).').waitFor();
    await page.getByLabel('Find as').selectOption('bytes');
    await page.getByLabel('Text or bytes').fill('3c 54 69');
    await page.getByRole('button', { name: 'Find next' }).click();
    await page.getByText('Found at offset 0x49 (73).').waitFor();

    await page.getByLabel('Compare with').selectOption('version 4');
    await page
      .getByText('33 bytes differ from version 4, the first at offset 0x00000010.')
      .waitFor();
    await page.getByText('Version 6 is 32 bytes longer.').waitFor();
    await page.getByRole('button', { name: 'Next difference' }).click();
    const mark = rowAt(page, '00000010').locator('mark').first();
    await expect.poll(() => mark.textContent()).toBe('06');
    await page.getByRole('checkbox', { name: /Only rows that differ/ }).check();
    await rowAt(page, '00000010 v4').waitFor();
    await expect.poll(() => cellsAt(page, '00000010 v4').first().textContent()).toMatch(/^04 /);
    await expect.poll(() => cellsAt(page, '00000010 v6').last().textContent()).toMatch(/ differs$/);
    expect(page.url()).toContain('compare=4');
    await page.context().close();
  });

  it('is accessible, narrow too', async () => {
    const page = await run.open({
      at: `#/saves?bucket=ctr-saves&slot=${SLOT}&version=5&compare=3&after=1880`,
    });
    await page.getByText('33 bytes differ').waitFor();
    await page.getByRole('option', { name: SLOT, selected: true }).waitFor();
    await expectAccessible(page);
    await page.setViewportSize({ width: 1280, height: 560 });
    await screenshot(page, 'saves');
    await expectReadableWhenNarrow(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('heading', { name: 'Version 5' }).scrollIntoViewIfNeeded();
    await expect.poll(() => cellsAt(page, '00000008').first().textContent()).toMatch(/^38 3f /);
    await expect.poll(() => page.getByLabel('Prefix').isVisible()).toBe(true);
    await screenshot(page, 'saves-narrow');
    await page.context().close();
  });

  it('hands out the same bytes as a file', async () => {
    const page = await run.open({ at: `#/saves?bucket=ctr-saves&slot=${SLOT}&version=3` });
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe(`${SLOT}-00003.bin`);
    expect(new Uint8Array(await readFile(await file.path()))).toEqual(contentOf(3));
    await page.context().close();
  });

  it('makes an old version the newest one, and shows in another window what is new', async () => {
    await save(77, contentOf(1), contentOf(2));
    const at = '#/saves?bucket=ctr-saves&slot=77';
    const [page, other] = await Promise.all([
      run.open({ at: `${at}&version=1` }),
      run.open({ at }),
    ]);
    await other.getByText('2 kept versions, the latest is 2.').waitFor();
    await page.getByRole('button', { name: 'Restore' }).click();
    const dialog = page.getByRole('dialog', { name: 'Restore version 1?' });
    await dialog.getByText('the newest one, as version 3').waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    const focused = 'document.activeElement.textContent';
    await expect.poll(() => page.evaluate(focused)).toBe('Restore');
    await page.getByRole('button', { name: 'Restore' }).click();
    await dialog.getByRole('button', { name: 'Restore' }).click();
    await page.getByText('Version 1 is the newest one again, as version 3.').waitFor();
    await page.getByText('3 kept versions, the latest is 3.').waitFor();
    await page.getByText('The same bytes as version 1.').waitFor();
    await expect.poll(() => page.evaluate(focused)).toBe('Version 3');
    await expect.poll(() => versionsOf(page)).toEqual(['Version 3', 'Version 2', 'Version 1']);
    expect(await bytesOf('77', 3)).toEqual(contentOf(1));
    await other.getByText('3 kept versions, the latest is 3.').waitFor();
    const option = other.getByRole('option', { name: /^00000000077/ });
    await expect.poll(() => option.textContent()).toMatch(/version v3/);

    await rest('DELETE', `/ctr-saves/${PREFIX}/ds/1/data/00000000077-00002`);
    await other.getByText('Version 2 is missing: deleted.').waitFor();
    await save(76, contentOf(1));
    await other.getByRole('option', { name: /^00000000076/ }).waitFor();
    await Promise.all([page.context().close(), other.context().close()]);
  });

  it('uploads the next version from a file', async () => {
    const page = await run.open({ at: '#/saves?bucket=ctr-saves&slot=78' });
    await page.getByRole('button', { name: 'Upload version 1' }).click();
    const buffer = Buffer.from(contentOf(9));
    await page.getByLabel('File').setInputFiles({ name: 'x', mimeType: '', buffer });
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await page.getByText('Version 1 was saved.').waitFor();
    await page.getByText('1 kept version, the latest is 1.').waitFor();
    await page.getByRole('button', { name: 'Upload version 2' }).waitFor();
    expect(await bytesOf('78', 1)).toEqual(contentOf(9));
    // Somebody else is quicker than a form that was signed already.
    await page.getByRole('button', { name: 'Upload version 2' }).click();
    await page.getByLabel('File').setInputFiles({ name: 'x', mimeType: '', buffer });
    await page.route('**/ctr-saves', async (route) => {
      await save(78, contentOf(8));
      await route.continue();
    });
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await page.getByRole('alert').getByText('then upload again').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('2 kept versions, the latest is 2.').waitFor();
    expect(await bytesOf('78', 2)).toEqual(contentOf(8));
    await page.context().close();
  });

  it('is quick with a save of megabytes', async () => {
    const bytes = new Uint8Array(20 * 1024 * 1024);
    bytes.set(new TextEncoder().encode('the end'), 16 * 1024 * 1024 - 16);
    await save(79, bytes);
    const page = await run.open({ at: '#/saves?bucket=ctr-saves&slot=79&version=1' });
    await page.getByText('These are the first 16.0 MiB of 20.0 MiB').waitFor();
    await page.getByLabel('Text or bytes').fill('the end');
    await page.getByRole('button', { name: 'Find next' }).click();
    await page.getByText('Found at offset 0xfffff0').waitFor();
    await rowAt(page, '00fffff0').locator('mark').first().waitFor();
    expect(await page.getByRole('row').count()).toBeLessThan(120);
    const box = page.getByRole('region', { name: 'Bytes of version 1' });
    await box.focus();
    await page.keyboard.press('Home');
    await rowAt(page, '00000000').waitFor();
    await page.keyboard.press('End');
    await rowAt(page, '00fffff0').waitFor();
    await page.context().close();
  });

  it('shows a member what its grants cover, and says what they do not', async () => {
    const password = 'member password';
    const grants = [{ prefix: `ctr-saves/${PREFIX}/ds/1/data/${SLOT}-`, access: 'read' }];
    await rest('PUT', '/api/users/support', { password, role: 'member', grants });
    await rest('PUT', '/api/users/nobody', { password, role: 'member', grants: [] });
    const page = await run.open({ at: '#/saves', username: 'support', password });
    await page.getByRole('option', { name: new RegExp(`^${SLOT}`) }).click();
    await expect
      .poll(() => page.getByRole('listbox', { name: 'Slots' }).getByRole('option').count())
      .toBe(1);
    await timeLine(page).getByRole('link', { name: 'Version 5', exact: true }).click();
    await rowAt(page, '00000000').waitFor();
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('alert').getByText('no grant to write').waitFor();
    expect((await saves.versions(SLOT)).at(-1)?.version).toBe(7);
    await find(page, '1000');
    await page.getByRole('alert').getByText('no grant to read').waitFor();
    await page.context().close();
    const other = await run.open({ at: '#/saves', username: 'nobody', password });
    await other.getByText('Your grants cover no bucket with saves.').waitFor();
    await other.context().close();
  });

  it('shows hostile prefixes, and does nothing else with them', async () => {
    const prefix = `<script>alert(1)</script>\u202e${'x'.repeat(300)}\n"`;
    const hostile = await rest('PUT', '/api/buckets/hostile', { saves: true, savePrefix: prefix });
    expect(hostile.status).toBe(201);
    const scope = new URLSearchParams({ prefix });
    const { json } = await rest('POST', `/api/saves/hostile/5?${scope}`);
    const form = json as { url: string; fields: Record<string, string> };
    await uploadForm({ ...form, url: `${run.server.url}/hostile` }, new Blob([contentOf(1)]));
    const page = await run.open({ at: '#/saves?bucket=hostile' });
    await page.getByRole('option', { name: /^00000000005/ }).click();
    await page.getByText('1 kept version, the latest is 1.').waitFor();
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByRole('option', { name: /^00000000005/ }).waitFor();
    await page.getByLabel('n', { exact: true }).fill('3');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const shown = page.getByText('Nothing is saved under').locator('bdi');
    await shown.getByText('<script>alert(1)</script>⟨U+202E⟩').waitFor();
    await expectReadableWhenNarrow(page);
    await page.context().close();
  });

  it('says how a bucket with saves is made', async () => {
    const empty = await startConsole();
    const page = await empty.open({ at: '#/saves' });
    await page.getByText('keystow bucket add NAME --saves').waitFor();
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await empty.stop();
  });
});

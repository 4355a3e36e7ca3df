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
} from './console-page.ts';

/** A right-to-left override that turns the rest of a name around, and what would be a script in a page. */
const HOSTILE = 'evil/<script>window.pwned=1</script>\u202egpj.exe?a=b#c%20 d';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe.skipIf(!hasChromium)('the objects of the console', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
    await rest('PUT', '/api/buckets/pictures', {});
    await rest('PUT', '/api/buckets/logs', {});
  });

  afterAll(() => run?.stop());

  async function store(
    path: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const { status, text } = await rest('PUT', path, body, {
      'content-type': 'text/plain',
      ...headers,
    });
    expect(status, text).toBe(200);
  }

  /** All at once would only queue up. */
  async function storeMany(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += 50) {
      await Promise.all(paths.slice(at, at + 50).map((path) => store(path, path)));
    }
  }

  const pwned = (page: Page): Promise<unknown> => page.evaluate('window.pwned');

  it('make a bucket, and delete it when it is empty', async () => {
    const page = await run.open({ at: '#/objects' });
    await page.getByRole('button', { name: 'New bucket' }).click();
    const dialog = page.getByRole('dialog', { name: 'New bucket' });
    await dialog.getByLabel('Name').fill('Wrong!');
    await dialog.getByRole('button', { name: 'Make the bucket' }).click();
    await dialog.getByRole('alert').getByText("cannot be a bucket's name").waitFor();
    await dialog.getByLabel('Name').fill('pictures');
    await dialog.getByRole('button', { name: 'Make the bucket' }).click();
    await dialog.getByText('There is a bucket pictures: choose another name.').waitFor();
    await dialog.getByLabel('Name').fill('slots');
    await dialog.getByLabel('Who else may use it').selectOption('authenticated-read');
    await dialog.getByLabel('For saves').check();
    await dialog.getByLabel('Prefix of the saves').fill('10.GAME');
    await dialog.getByLabel('Versions of a slot').fill('5');
    await dialog.getByRole('button', { name: 'Make the bucket' }).click();
    await page.getByRole('link', { name: 'slots' }).waitFor();
    const made = { acl: 'authenticated-read', saves: true, savePrefix: '10.GAME', keepVersions: 5 };
    const { json } = await rest('GET', '/api/buckets');
    expect(json).toContainEqual(expect.objectContaining({ name: 'slots', ...made }));

    await store('/slots/10.GAME/ds/1/data/00000000001-00001', 'x');
    await page.getByRole('link', { name: 'slots' }).click();
    await page.getByText('This bucket numbers saves').waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Delete the bucket slots' }).click();
    const question = page.getByRole('dialog', { name: 'Delete this bucket?' });
    await question.getByRole('button', { name: 'Delete the bucket' }).click();
    await question.getByText('slots has objects in it: delete them first.').waitFor();
    // The keyboard is where it was.
    await expect
      .poll(() => page.evaluate('document.activeElement.textContent'))
      .toBe('Delete the bucket');
    await rest('DELETE', '/slots/10.GAME/ds/1/data/00000000001-00001');
    await question.getByRole('button', { name: 'Delete the bucket' }).click();
    await page.getByRole('link', { name: 'slots' }).waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Reload');
    expect((await rest('GET', '/api/buckets')).text).not.toContain('slots');
    await page.context().close();
  });

  it('are browsed by folders, over more than one page, and by how names begin', async () => {
    const names = Array.from({ length: 450 }, (_, at) => `${at}`.padStart(4, '0'));
    await storeMany([
      ...names.map((name) => `/logs/2026/day/${name}.log`),
      ...['/logs/2026/notes.txt', '/logs/readme.txt', '/logs/2026/night/0.log'],
    ]);
    const page = await run.open({ at: '#/objects' });
    await page.getByRole('link', { name: 'logs' }).click();
    await page.getByRole('link', { name: 'readme.txt' }).waitFor();
    await page.getByRole('link', { name: 'Folder 2026/' }).click();
    await page.getByRole('link', { name: 'notes.txt' }).waitFor();
    await page.getByRole('link', { name: 'Folder day/' }).click();
    await page.getByText('200 entries so far').waitFor();
    const rows = page.getByRole('row');
    expect(await rows.count()).toBeLessThan(80);
    const table = page.getByRole('table');
    while (!(await page.getByText('450 entries.').isVisible())) {
      await table.hover();
      await page.mouse.wheel(0, 4_000);
    }
    await page.mouse.wheel(0, 100_000);
    await page.getByRole('link', { name: '0449.log' }).waitFor();
    expect(await rows.count()).toBeLessThan(80);

    await page.getByLabel('Names that begin with').fill('004');
    await page.getByText('10 entries.').waitFor();
    await page.getByRole('link', { name: '0041.log' }).click();
    await page.getByRole('heading', { name: '0041.log' }).waitFor();
    expect(new URL(page.url()).hash).toBe(
      '#/objects?bucket=logs&prefix=2026%2Fday%2F004&key=2026%2Fday%2F0041.log',
    );
    await page.getByRole('button', { name: 'Close the object' }).click();
    await page.getByRole('navigation', { name: 'Folder' }).getByText('2026').click();
    await page.getByRole('link', { name: 'Folder night/' }).waitFor();
    await page.goBack();
    await page.getByText('10 entries.').waitFor();
    await page.context().close();
  });

  it('change as others write and delete', async () => {
    await store('/pictures/live/one.txt', 'first');
    const at = '#/objects?bucket=pictures&prefix=live%2F&key=live%2Fone.txt';
    const page = await run.open({ at });
    await page.getByText('1 entry.').waitFor();
    const text = page.frameLocator('iframe[title="Text of one.txt"]');
    await text.getByText('first').waitFor();
    await store('/pictures/live/two.txt', 'x');
    await page.getByRole('link', { name: 'two.txt' }).waitFor();
    await store('/pictures/live/one.txt', 'second');
    await text.getByText('second').waitFor();
    await store('/pictures/live/deep/three.txt', 'x');
    await page.getByRole('link', { name: 'Folder deep/' }).waitFor();
    await rest('DELETE', '/pictures/live/deep/three.txt');
    await page.getByRole('link', { name: 'Folder deep/' }).waitFor({ state: 'detached' });
    await rest('DELETE', '/pictures/live/one.txt');
    await page.getByText('There is no object of this name').waitFor();
    await page.getByText('1 entry.').waitFor();
    await page.context().close();
  });

  it('show what is kept with them, and are downloaded byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 31) % 256));
    await store('/pictures/data/raw.bin', bytes, {
      'content-type': 'application/x-raw',
      'cache-control': 'max-age=60',
      'content-disposition': 'inline',
      'x-amz-meta-camera': 'Größe',
      'x-amz-storage-class': 'GLACIER',
      'x-amz-acl': 'authenticated-read',
    });
    const page = await run.open({
      at: '#/objects?bucket=pictures&prefix=data%2F&key=data%2Fraw.bin',
    });
    const fact = (name: string) =>
      page.locator('dl > div').filter({ has: page.getByText(name, { exact: true }) });
    for (const [name, value] of [
      ['Key', 'data/raw.bin'],
      ['Size', '68.4 KiB (70,000 bytes)'],
      ['Content type', 'application/x-raw'],
      ['Cache control', 'max-age=60'],
      ['Content disposition', 'inline'],
      ['Storage class', 'GLACIER'],
      ['camera', 'Größe'],
      ['Who else may read it', 'authenticated-read'],
    ] as const) {
      await fact(name).getByText(value, { exact: true }).waitFor();
    }
    const etag = (await rest('HEAD', '/pictures/data/raw.bin')).headers.get('etag') ?? '';
    await fact('ETag').getByText(etag).waitFor();

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('raw.bin');
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    await page.context().close();
  });

  it('are shown as text and as pictures, none of which can do anything', async () => {
    const script = 'window.pwned=1;parent.pwned=1;top.pwned=1;fetch("/api/users")';
    const beacon = '<img src="/never-asked-for" onerror="top.pwned=1">';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30" style="fill:teal" onload="top.pwned=1"/><script>${script}</script><image href="/never-asked-for"/></svg>`;
    await store('/pictures/show/a.html', `<h1>Hi</h1><script>${script}</script>${beacon}`, {
      'content-type': 'text/html',
    });
    await store('/pictures/show/b.svg', svg, { 'content-type': 'image/svg+xml' });
    await store('/pictures/show/c.png', PNG, { 'content-type': 'image/png' });
    await store('/pictures/show/d.json', '{"answer": 42}', { 'content-type': 'application/json' });
    await store('/pictures/show/e.bin', 'plain after all', { 'content-type': 'application/x-e' });
    await store('/pictures/show/f.png', 'no picture', { 'content-type': 'image/png' });
    await store('/pictures/show/g.txt', `${'x'.repeat(1_048_575)}ä and the rest`);
    await store('/pictures/show/h.txt', '');

    const page = await run.open({ at: '#/objects?bucket=pictures&prefix=show%2F' });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const open = async (name: string): Promise<void> => {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { name }).waitFor();
    };
    const text = (name: string) => page.frameLocator(`iframe[title="Text of ${name}"]`);

    await open('a.html');
    await text('a.html').getByText(`<h1>Hi</h1><script>${script}`).waitFor();
    await expect.poll(() => page.getByTitle('Text of a.html').getAttribute('sandbox')).toBe('');
    const width = (name: string): Promise<number> =>
      page
        .getByRole('img', { name: `Preview of ${name}` })
        .evaluate((image) => Number(Reflect.get(image, 'naturalWidth')));
    await open('b.svg');
    await expect.poll(() => width('b.svg')).toBe(40);
    await open('c.png');
    await expect.poll(() => width('c.png')).toBe(1);
    await open('d.json');
    await text('d.json').getByText('{"answer": 42}').waitFor();
    await open('e.bin');
    await page.getByRole('button', { name: 'Show as text' }).click();
    await text('e.bin').getByText('plain after all').waitFor();
    await open('f.png');
    await page.getByText('The browser cannot show this image').waitFor();
    await open('g.txt');
    await page.getByText('The first 1.0 MiB of 1.0 MiB').waitFor();
    const shown = text('g.txt').locator('pre');
    await expect.poll(async () => (await shown.textContent())?.length).toBe(1_048_575);
    await expect.poll(() => shown.textContent()).toBe('x'.repeat(1_048_575));
    await open('h.txt');
    await page.getByText('It is empty.').waitFor();
    expect(await pwned(page)).toBeUndefined();
    expect(asked.filter((url) => /never-asked-for|api\/users/.test(url))).toEqual([]);
    await page.context().close();
  });

  it('are deleted after a question, one or several', async () => {
    await storeMany(['a', 'b', 'c', 'd'].map((name) => `/pictures/gone/${name}.txt`));
    const page = await run.open({ at: '#/objects?bucket=pictures&prefix=gone%2F' });
    await page.getByRole('link', { name: 'a.txt' }).click();
    await page
      .getByRole('region', { name: 'Object', exact: true })
      .getByRole('button', { name: 'Delete' })
      .click();
    const one = page.getByRole('dialog', { name: 'Delete this object?' });
    await one.getByText('gone/a.txt').waitFor();
    await one.getByRole('button', { name: 'Cancel' }).click();
    expect((await rest('HEAD', '/pictures/gone/a.txt')).status).toBe(200);
    await page
      .getByRole('region', { name: 'Object', exact: true })
      .getByRole('button', { name: 'Delete' })
      .click();
    await one.getByRole('button', { name: 'Delete gone/a.txt' }).click();
    await page.getByRole('link', { name: 'a.txt' }).waitFor({ state: 'detached' });
    expect((await rest('HEAD', '/pictures/gone/a.txt')).status).toBe(404);

    await page.getByLabel('Select b.txt').check();
    await page.getByLabel('Select d.txt').check();
    await page.getByRole('button', { name: 'Delete 2 selected' }).click();
    const several = page.getByRole('dialog', { name: 'Delete 2 objects?' });
    await several.getByText('gone/d.txt').waitFor();
    await several.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('2 objects were deleted.').waitFor();
    await page.getByText('1 entry.').waitFor();
    const { json } = await rest('GET', '/api/objects/pictures?prefix=gone/');
    expect(json).toMatchObject({ objects: [{ key: 'gone/c.txt' }] });
    await page.context().close();
  });

  it('may have any name that a key can have', async () => {
    const keys = [
      HOSTILE,
      'odd/..',
      'odd/../up.txt',
      'odd//double.txt',
      'odd/ spaces  .txt',
      'odd/new\nline.txt',
      'odd/%2e%2e.txt',
      'odd/back\\slash.txt',
      `long/${'n'.repeat(1_019)}`,
      '..',
    ];
    await rest('PUT', '/api/buckets/names', {});
    for (const key of keys.filter((key) => key !== '..')) {
      const { json } = await rest('POST', '/api/presign', { method: 'PUT', bucket: 'names', key });
      const { url } = json as { url: string };
      expect((await fetch(url, { method: 'PUT', body: `of ${key}` })).status).toBe(200);
    }
    const { json } = await rest('POST', '/api/v2/s3/create_signed_url', {
      data: { bucket: 'names', key: '..' },
    });
    const form = new FormData();
    const { data } = json as { data: { url: string; fields: Record<string, string> } };
    for (const [name, value] of Object.entries(data.fields)) form.append(name, value);
    form.append('file', new Blob(['dots']), 'dots');
    expect((await fetch(data.url, { method: 'POST', body: form })).status).toBe(201);

    const page = await run.open();
    for (const key of keys) {
      const prefix = key.slice(0, key.lastIndexOf('/') + 1);
      const query = new URLSearchParams({ bucket: 'names', prefix, key });
      await page.goto(`${run.server.url}/console#/objects?${query}`);
      const object = page.getByRole('region', { name: 'Object', exact: true });
      await object.getByRole('button', { name: 'Download' }).waitFor();
      if (key === '..') {
        await object.getByText('No URL can name the key').waitFor();
        continue;
      }
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        object.getByRole('button', { name: 'Download' }).click(),
      ]);
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(`of ${key}`);
      if (key.startsWith('long/')) await expectReadableWhenNarrow(page);
      // The next one is not to be taken for this one.
      await page.getByRole('button', { name: 'Close the object' }).click();
      await object.waitFor({ state: 'detached' });
    }

    await page.goto(`${run.server.url}/console#/objects?bucket=names&prefix=evil%2F`);
    // What is before the slash of the script's end is a folder.
    await page.getByRole('link', { name: 'Folder <script>window.pwned=1</' }).click();
    await page.getByRole('link', { name: 'script>⟨U+202E⟩gpj.exe' }).click();
    await page.getByRole('heading', { name: 'script>⟨U+202E⟩gpj.exe?a=b#c%20 d' }).waitFor();
    await page
      .getByRole('region', { name: 'Object', exact: true })
      .getByRole('button', { name: 'Delete' })
      .click();
    await page.getByRole('dialog').getByText('⟨U+202E⟩gpj.exe').waitFor();
    await page.getByRole('button', { name: 'Delete evil/' }).click();
    await page.getByText('The object was deleted.').waitFor();
    expect(await pwned(page)).toBeUndefined();
    const left = await rest('GET', '/api/objects/names?prefix=evil/');
    expect(left.json).toEqual({ objects: [], prefixes: [] });
    await expectReadableWhenNarrow(page);
    await page.context().close();
  });

  it('are for members as far as their grants go', async () => {
    await storeMany(['/pictures/mine/a.txt', '/pictures/others/b.txt']);
    const grants = [{ prefix: 'pictures/mine/', access: 'read' }];
    await rest('PUT', '/api/users/mia', { password: 'only mine', role: 'member', grants });
    const page = await run.open({ at: '#/objects', username: 'mia', password: 'only mine' });
    await page.getByRole('link', { name: 'pictures' }).waitFor();
    expect(await page.getByRole('link', { name: 'logs' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'New bucket' }).count()).toBe(0);
    await page.getByRole('link', { name: 'pictures' }).click();
    await page.getByRole('link', { name: 'Folder mine/' }).click();
    expect(await page.getByRole('link', { name: 'Folder others/' }).count()).toBe(0);
    await page.getByRole('link', { name: 'a.txt' }).click();
    await page.frameLocator('iframe').getByText('/pictures/mine/a.txt').waitFor();
    const object = page.getByRole('region', { name: 'Object', exact: true });
    await object.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete mine/a.txt' }).click();
    await page.getByText('Access Denied. Ask an admin for a grant if you need it.').waitFor();
    await page.goto(`${run.server.url}/console#/objects?bucket=logs`);
    await page.getByText('The user mia has no grant to read logs/: ask an admin').waitFor();
    await page.context().close();
  });

  it('are looked at by anybody, in any window', async () => {
    const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300" width="480" height="300"><rect width="480" height="300" fill="#9fd3ee"/><circle cx="380" cy="70" r="36" fill="#ffd34d"/><path d="M0 300 150 110 260 240 330 160 480 300Z" fill="#3d6b52"/><path d="M112 158 150 110l33 39-20-6-16 14-14-10z" fill="#fff"/></svg>`;
    await store('/pictures/2026/summer/hills.svg', picture, {
      'content-type': 'image/svg+xml',
      'cache-control': 'max-age=3600',
      'x-amz-meta-photographer': 'Mia',
    });
    await store('/pictures/2026/summer/raw/0001.dng', 'x');
    await store('/pictures/2026/summer/notes.txt', 'Walk up before noon.');
    await store('/pictures/2026/summer/boat.webp', Buffer.alloc(184_320), {
      'content-type': 'image/webp',
    });
    const page = await run.open({ at: '#/objects?bucket=pictures&prefix=2026%2Fsummer%2F' });
    await page.getByText('4 entries.').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'hills.svg' }).click();
    await page.getByRole('img', { name: 'Preview of hills.svg' }).waitFor();
    await page.getByText('photographer').waitFor();
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await screenshot(page, 'objects');
    await page.goto(`${run.server.url}/console#/objects`);
    await page.getByRole('link', { name: 'pictures' }).waitFor();
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await page.context().close();
  });
});

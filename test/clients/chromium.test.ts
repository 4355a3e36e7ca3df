import { createHash } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signedUrlFields, signPostPolicyV4 } from '../../server/s3/sign-post-policy.ts';
import { basic } from '../support/rest.ts';
import type { TestServer } from '../support/server.ts';
import { hasChromium, launchChromium } from './chromium.ts';
import { type ForeignPages, startForeignPages } from './foreign-pages.ts';
import { BUCKET, keys, startS3Server } from './s3-server.ts';

/**
 * Forms and scripts of another site's pages in a real browser. Without Chromium
 * (`apt-get install chromium`) these tests are skipped.
 */

const FILENAME = '$' + '{filename}';
const PICTURE = {
  name: 'größe "1".png',
  mimeType: 'image/png',
  buffer: Buffer.alloc(150_000, '\r\n------WebKitFormBoundary'),
};

describe.skipIf(!hasChromium)('Chromium', () => {
  let server: TestServer;
  let pages: ForeignPages;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [server, pages, browser] = await Promise.all([
      startS3Server(),
      startForeignPages(),
      launchChromium(),
    ]);
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([pages?.stop(), server?.stop()]);
  });

  beforeEach(async () => {
    page = await browser.newPage();
  });

  afterEach(() => page.context().close());

  /** Hidden inputs of a signed form. */
  function inputs(fields: Record<string, string>, maxBytes = 1_000_000): string {
    const signed = signPostPolicyV4(keys, {
      conditions: [
        { bucket: BUCKET },
        ['starts-with', '$key', 'pages/'],
        ['content-length-range', 0, maxBytes],
        ...Object.keys(fields)
          .filter((name) => name !== 'key')
          .map((name) => ['starts-with', `$${name}`, ''] as const),
      ],
      expiration: Date.now() + 3_600_000,
      region: 'us-east-1',
      now: Date.now(),
    });
    return signedUrlFields(Object.entries(fields), signed)
      .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
      .join('\n');
  }

  function formPage(fields: string): string {
    return pages.show(
      '/form',
      `<!doctype html><title>form</title>
      <form action="${server.url}/${BUCKET}" method="post" enctype="multipart/form-data">
        ${fields}
        <input type="file" name="file">
        <input type="submit" name="submit" value="Upload to Amazon S3">
      </form>`,
    );
  }

  function read(key: string): Promise<Response> {
    return fetch(`${server.url}/${BUCKET}/${encodeURIComponent(key)}`, {
      headers: { authorization: basic('admin', server.password) },
    });
  }

  function etagOf(bytes: Uint8Array): string {
    return `"${createHash('md5').update(bytes).digest('hex')}"`;
  }

  it('submits a form, and follows its redirect', async () => {
    const done = pages.show('/done', '<!doctype html><title>done</title>');
    await page.goto(
      formPage(
        inputs({
          key: `pages/${FILENAME}`,
          'Content-Type': 'image/png',
          'x-amz-meta-note': 'größer',
          success_action_redirect: `${done}?form=7`,
        }),
      ),
    );
    await page.setInputFiles('[type=file]', PICTURE);
    await page.click('[type=submit]');
    await page.waitForURL(`${done}?**`);
    expect(await page.title()).toBe('done');
    const query = Object.fromEntries(new URL(page.url()).searchParams);
    // Browsers escape quotes in the name of a file.
    const key = 'pages/größe %221%22.png';
    expect(query).toEqual({ form: '7', bucket: BUCKET, key, etag: etagOf(PICTURE.buffer) });
    const stored = await read(key);
    expect(stored.headers.get('content-type')).toBe('image/png');
    expect(PICTURE.buffer.equals(Buffer.from(await stored.arrayBuffer()))).toBe(true);
  });

  it('stays on the page after a 204', async () => {
    const form = formPage(inputs({ key: 'pages/stays.png' }));
    await page.goto(form);
    await page.setInputFiles('[type=file]', PICTURE);
    const answered = page.waitForResponse(`${server.url}/${BUCKET}`);
    await page.click('[type=submit]');
    expect((await answered).status()).toBe(204);
    expect(page.url()).toBe(form);
    expect((await read('pages/stays.png')).status).toBe(200);
  });

  it('shows the XML of a 201 and of an error, which does not redirect', async () => {
    await page.goto(formPage(inputs({ key: 'pages/shown.png', success_action_status: '201' })));
    await page.setInputFiles('[type=file]', PICTURE);
    await page.click('[type=submit]');
    await page.waitForURL(`${server.url}/${BUCKET}`);
    expect(await page.content()).toContain('pages/shown.png');

    const done = pages.show('/never', '<!doctype html><title>never</title>');
    const fields = { key: 'pages/too-large.png', success_action_redirect: done };
    await page.goto(formPage(inputs(fields, PICTURE.buffer.length - 1)));
    await page.setInputFiles('[type=file]', PICTURE);
    const [answer] = await Promise.all([
      page.waitForResponse(`${server.url}/${BUCKET}`),
      page.click('[type=submit]'),
    ]);
    expect(answer.status()).toBe(400);
    await page.waitForURL(`${server.url}/${BUCKET}`);
    expect(await page.content()).toContain('EntityTooLarge');
    expect(pages.visits).not.toContainEqual(expect.stringMatching('^/never'));
    expect((await read('pages/too-large.png')).status).toBe(404);
  });

  it('submits a form whose file was not chosen as an empty file without a name', async () => {
    await page.goto(formPage(inputs({ key: `pages/empty-${FILENAME}` })));
    const answered = page.waitForResponse(`${server.url}/${BUCKET}`);
    await page.click('[type=submit]');
    expect((await answered).status()).toBe(204);
    const stored = await read('pages/empty-');
    expect(stored.headers.get('content-length')).toBe('0');
  });

  it('lets no page act with the Basic credentials of its visitor', async () => {
    const context = await browser.newContext({
      httpCredentials: { username: 'admin', password: server.password },
    });
    const visitor = await context.newPage();
    // From here on the browser sends them by itself.
    expect((await visitor.goto(`${server.url}/data`))?.status()).toBe(200);
    const own = await visitor.goto(`${server.url}/${BUCKET}/pages/absent`);
    expect(own?.status()).toBe(404);

    await visitor.goto(formPage('<input type="hidden" name="key" value="pages/forged">'));
    await visitor.setInputFiles('[type=file]', PICTURE);
    const answered = visitor.waitForResponse(`${server.url}/${BUCKET}`);
    await visitor.click('[type=submit]');
    const answer = await answered;
    expect((await answer.request().allHeaders())['authorization']).toMatch(/^Basic /);
    expect(answer.status()).toBe(403);
    await context.close();
    expect((await read('pages/forged')).status).toBe(404);
  });

  describe('scripts of another site', () => {
    /** A page that uploads what is chosen, and tells what its script could read. */
    function scriptPage(fields: string, send: string): string {
      return pages.show(
        '/script',
        `<!doctype html>
        <form>${fields}<input type="file" name="file"></form>
        <script>
          const form = document.querySelector('form');
          const url = '${server.url}/${BUCKET}';
          const tell = (result) => {
            const output = document.createElement('output');
            output.textContent = JSON.stringify(result);
            document.body.append(output);
          };
          form.elements.file.addEventListener('change', () => { ${send} });
        </script>`,
      );
    }

    async function told(url: string, file = PICTURE): Promise<unknown> {
      await page.goto(url);
      await page.setInputFiles('[type=file]', file);
      return JSON.parse((await page.textContent('output')) ?? '');
    }

    const WITH_FETCH = `
      fetch(url, { method: 'POST', body: new FormData(form) })
        .then(async (answer) => ({
          status: answer.status,
          etag: answer.headers.get('etag'),
          location: answer.headers.get('location'),
          requestId: typeof answer.headers.get('x-amz-request-id'),
          code: /<Code>(.*)<\\/Code>/.exec(await answer.text())?.[1],
        }))
        .catch((error) => String(error))
        .then(tell);`;

    it('read ETag and Location with fetch', async () => {
      const fields = inputs({ key: 'pages/fetched.png' });
      expect(await told(scriptPage(fields, WITH_FETCH))).toEqual({
        status: 204,
        etag: etagOf(PICTURE.buffer),
        location: `${server.url}/${BUCKET}/pages%2Ffetched.png`,
        requestId: 'string',
      });
    });

    it('read what was wrong', async () => {
      const fields = inputs({ key: 'pages/fetched-too-large.png' }, 1_000);
      expect(await told(scriptPage(fields, WITH_FETCH))).toEqual({
        status: 400,
        etag: null,
        location: null,
        requestId: 'string',
        code: 'EntityTooLarge',
      });
    });

    it('follow a redirect of their own site only with CORS of that site', async () => {
      const done = pages.show('/without-cors', '<!doctype html><title>done</title>');
      const fields = inputs({ key: 'pages/redirected.png', success_action_redirect: done });
      expect(await told(scriptPage(fields, WITH_FETCH))).toMatch(/^TypeError/);
      expect((await read('pages/redirected.png')).status).toBe(200);
    });

    // The listener for progress and the header make the browser ask first: a preflight.
    it('upload with XMLHttpRequest and progress', async () => {
      const send = `
        const xhr = new XMLHttpRequest();
        let progress = 0;
        xhr.upload.addEventListener('progress', ({ loaded }) => { progress = loaded; });
        xhr.addEventListener('loadend', () => tell({
          status: xhr.status,
          etag: xhr.getResponseHeader('etag'),
          key: xhr.responseXML?.querySelector('Key')?.textContent,
          progress: progress > 150000,
        }));
        xhr.open('POST', url);
        xhr.setRequestHeader('x-requested-with', 'XMLHttpRequest');
        xhr.send(new FormData(form));`;
      const fields = inputs({ key: 'pages/xhr.png', success_action_status: '201' });
      expect(await told(scriptPage(fields, send))).toEqual({
        status: 201,
        etag: etagOf(PICTURE.buffer),
        key: 'pages/xhr.png',
        progress: true,
      });
    });

    it('read objects that are public, ranges too, and not with credentials', async () => {
      const fields = inputs({ key: 'pages/public.txt', acl: 'public-read' });
      const send = `
        fetch(url, { method: 'POST', body: new FormData(form) })
          .then(async () => {
            const object = url + '/pages/public.txt';
            const part = await fetch(object, { headers: { range: 'bytes=2-5' } });
            const withCredentials = fetch(object, { credentials: 'include' });
            return {
              text: await (await fetch(object)).text(),
              part: await part.text(),
              range: part.headers.get('content-range'),
              withCredentials: await withCredentials.then(() => 'read', () => 'refused'),
            };
          })
          .catch((error) => String(error))
          .then(tell);`;
      const file = { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('0123456789') };
      expect(await told(scriptPage(fields, send), file)).toEqual({
        text: '0123456789',
        part: '2345',
        range: 'bytes 2-5/10',
        withCredentials: 'refused',
      });
    });
  });

  describe('objects that are pages', () => {
    const html = (beacon: string): string =>
      `<!doctype html><title>quiet</title><p id="seen">seen</p>
      <img src="${beacon}?img" onerror="document.title = 'ran'">
      <script>document.title = 'ran'; fetch('${beacon}?script');</script>`;
    const svg = (beacon: string): string =>
      `<svg xmlns="http://www.w3.org/2000/svg"><title id="seen">quiet</title>
      <script>document.documentElement.setAttribute('data-ran', ''); fetch('${beacon}?script');</script></svg>`;

    async function store(key: string, type: string, text: string): Promise<string> {
      const form = new FormData();
      const fields = { key, acl: 'public-read', 'Content-Type': type };
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', new Blob([text]));
      const answer = await fetch(`${server.url}/${BUCKET}`, {
        method: 'POST',
        headers: { authorization: basic('admin', server.password) },
        body: form,
      });
      expect(answer.status, await answer.text()).toBe(204);
      return `${server.url}/${BUCKET}/${key}`;
    }

    it('run where they are not sandboxed, as this test has to know', async () => {
      const beacon = `${pages.origin}/control`;
      const asked = page.waitForRequest(`${beacon}?script`);
      await page.goto(pages.show('/page', html(beacon)));
      await asked;
      expect(await page.title()).toBe('ran');
    });

    it.each([
      ['text/html', 'page.html', html, '#seen'],
      ['text/html; charset=utf-8', 'page', html, '#seen'],
      ['application/xhtml+xml', 'page.xhtml', svg, '#seen'],
      ['image/svg+xml', 'image.svg', svg, '#seen'],
    ])('of type %s show, and run nothing', async (type, key, source, selector) => {
      const beacon = `${pages.origin}/beacon-${key}`;
      const url = await store(`pages/${key}`, type, source(beacon));
      const opened = await page.goto(url);
      expect(opened?.status()).toBe(200);
      await page.waitForLoadState('load');
      expect(await page.locator(selector).count()).toBe(1);
      expect(await page.title()).not.toBe('ran');
      expect(await page.locator('[data-ran]').count()).toBe(0);
      expect(pages.visits.filter((visit) => visit.startsWith('/beacon'))).toEqual([]);
    });

    it('are no pages where nothing says so', async () => {
      const url = await store('pages/unnamed', 'binary/octet-stream', html(pages.origin));
      const download = page.waitForEvent('download');
      // A download ends a navigation.
      await page.goto(url).catch(() => undefined);
      expect((await download).suggestedFilename()).toContain('unnamed');
    });
  });
});

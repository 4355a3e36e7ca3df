import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { signedRequests } from '../support/signed-requests.ts';
import { hasChromium, launchChromium } from './chromium.ts';
import { type ForeignPages, startForeignPages } from './foreign-pages.ts';

/** A bucket's CORS rules as a real browser keeps them, for scripts of another site's pages. */

describe.skipIf(!hasChromium)('Chromium', () => {
  let server: S3Server;
  let pages: ForeignPages;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [server, pages, browser] = await Promise.all([
      startS3Server(),
      startForeignPages(),
      launchChromium(),
    ]);
    await server.makeBucket('files');
    await signedRequests(server)('PUT', '/files/public', {
      headers: { 'x-amz-acl': 'public-read' },
      body: 'public',
    });
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([pages?.stop(), server?.stop()]);
  });

  beforeEach(async () => {
    // Preflights are remembered by a browser, not by the next one.
    page = await (await browser.newContext()).newPage();
    await page.goto(pages.show('/page', '<!doctype html><title>page</title>'));
  });

  afterEach(() => page.context().close());

  async function putRules(members: string): Promise<void> {
    const body = `<CORSConfiguration><CORSRule>${members}</CORSRule></CORSConfiguration>`;
    expect((await signedRequests(server)('PUT', '/files?cors', { body })).status).toBe(200);
  }

  /** What the page's script can read of an answer; `refused` where the browser keeps it from it. */
  function fetchInPage(url: string, init: RequestInit): Promise<unknown> {
    return page.evaluate(
      async ([address, options]) => {
        try {
          const answer = await fetch(address, options);
          return [answer.status, await answer.text(), answer.headers.get('etag') !== null];
        } catch {
          return 'refused';
        }
      },
      [url, init] as const,
    );
  }

  async function presign(method: string, key: string): Promise<string> {
    const wanted = { method, bucket: 'files', key };
    const { json } = await createRest(server.url)('POST', '/api/presign', wanted);
    return (json as { url: string }).url;
  }

  it('reads and writes where a rule names its origin', async () => {
    await putRules(
      `<AllowedOrigin>${pages.origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>content-type</AllowedHeader><ExposeHeader>ETag</ExposeHeader>`,
    );
    const put = {
      method: 'PUT',
      body: 'from a page',
      headers: { 'content-type': 'application/json' },
    };
    expect(await fetchInPage(await presign('PUT', 'put'), put)).toEqual([200, '', true]);
    expect(await fetchInPage(await presign('GET', 'put'), {})).toEqual([200, 'from a page', true]);
    const absent = await fetchInPage(await presign('GET', 'absent'), {});
    expect(absent).toEqual([404, expect.stringContaining('NoSuchKey'), false]);
    // What no rule names is not sent, or not read.
    const other = { ...put, headers: { 'x-other': '1' } };
    expect(await fetchInPage(await presign('PUT', 'other'), other)).toBe('refused');
    expect((await server.read('files', 'other')).status).toBe(404);
    const remove = await fetchInPage(await presign('DELETE', 'put'), { method: 'DELETE' });
    expect(remove).toBe('refused');
    expect((await server.read('files', 'put')).text).toBe('from a page');
    const url = `${server.url}/files/public`;
    expect(await fetchInPage(url, { credentials: 'include' })).toBe('refused');
  });

  it('is kept away where no rule does', async () => {
    await putRules(
      '<AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>',
    );
    expect(await fetchInPage(`${server.url}/files/public`, {})).toBe('refused');
    const put = { method: 'PUT', body: 'x' };
    expect(await fetchInPage(await presign('PUT', 'refused'), put)).toBe('refused');
    expect((await server.read('files', 'refused')).status).toBe(404);
  });

  it('reads everything public without rules', async () => {
    await signedRequests(server)('DELETE', '/files?cors');
    expect(await fetchInPage(`${server.url}/files/public`, {})).toEqual([200, 'public', true]);
  });
});

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { hasChromium, launchChromium } from './chromium.ts';
import { type ModulePages, startModulePages } from './module-pages.ts';

/** `keystow/client` in a real browser, on a page of another origin. */

type Client = import('../../shared/client/index.ts').KeystowClient;
type Library = typeof import('../../shared/client/index.ts');

declare global {
  /** Of the page. */
  var client: Client;
  var library: Library;
  var io: import('../../shared/client/index.ts').ConnectSocket;
}

describe.skipIf(!hasChromium).each(['REST', 'Socket.IO'])('Chromium over %s', (transport) => {
  let server: TestServer;
  let pages: ModulePages;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [pages, browser] = await Promise.all([startModulePages(), launchChromium()]);
    server = await startServer({ env: { CORS_ORIGINS: pages.origin } });
    await createRest(server.url)('PUT', '/api/buckets/game', { saves: true, savePrefix: 'p' });
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([pages?.stop(), server?.stop()]);
  });

  beforeEach(async () => {
    page = await (await browser.newContext()).newPage();
    await page.goto(pages.origin);
    await page.waitForFunction(() => 'library' in globalThis);
    await page.evaluate(
      ([url, password, isSocket]) => {
        globalThis.client = library.createClient({
          url,
          credentials: { username: 'admin', password },
          ...(isSocket ? { io } : {}),
        });
      },
      [server.url, server.password, transport !== 'REST'] as const,
    );
  });

  it('reads and writes documents, alone and in batches', async () => {
    const told = await page.evaluate(async () => {
      const { documents } = client;
      const { etag } = await documents.create('ü/1', { n: 1 });
      await documents.patch('ü/1', { merge: { m: 2 } }, { ifMatch: etag });
      await documents.batch([{ type: 'create', key: 'ü/2' }]);
      const pages: string[][] = [];
      for await (const keys of documents.keys({ prefix: 'ü/', pageSize: 1 })) pages.push(keys);
      const values: unknown[] = [];
      for await (const { value } of documents.export({ prefix: 'ü/' })) values.push(value);
      const error = await documents.create('ü/1').catch((thrown: unknown) => thrown);
      const code = error instanceof library.KeystowClientError ? error.code : error;
      return { pages, values, code };
    });
    expect(told).toEqual({
      pages: [['ü/1'], ['ü/2']],
      values: [{ n: 1, m: 2 }, {}],
      code: 'already-exists',
    });
  });

  it('watches', async () => {
    const told = await page.evaluate(async () => {
      const watch = client.watch({ prefix: '/data/seen/' });
      const begin = await watch.next();
      await client.documents.create('seen/1');
      const change = await watch.next();
      await watch.return();
      return [begin.value, change.value];
    });
    expect(told).toMatchObject([{ type: 'begin' }, { type: 'put', url: '/data/seen/1' }]);
  });

  it('uploads with progress, cancels, and keeps saves', async () => {
    const told = await page.evaluate(async () => {
      const sent: number[] = [];
      const { etag } = await client.uploads.upload(
        new File([new Uint8Array(2_000_000)], 'picture.png'),
        { key: 'uploaded.png' },
        { onProgress: (progress) => sent.push(progress.sent / progress.total) },
      );
      const cancelling = new AbortController();
      const cancelled = await client.uploads
        .upload(
          new Blob([new Uint8Array(30_000_000)]),
          { key: 'cancelled' },
          { signal: cancelling.signal, onProgress: () => cancelling.abort('enough') },
        )
        .catch((reason: unknown) => reason);
      const saves = client.saves('game');
      await saves.upload(1, new Blob(['first']));
      const { version } = await saves.upload(1, new Blob(['second']));
      const bytes = await new Response((await saves.read(1, 'latest')).body).text();
      const refused = await library
        .uploadForm(await client.uploads.sign({ maxBytes: 1 }), new Blob(['two']))
        .catch((error: unknown) =>
          error instanceof library.KeystowClientError ? error.s3Code : '',
        );
      return { etag, last: sent.at(-1), cancelled, version, bytes, refused };
    });
    expect(told).toEqual({
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      last: 1,
      cancelled: 'enough',
      version: 2,
      bytes: 'second',
      refused: 'EntityTooLarge',
    });
    const { json } = await createRest(server.url)('GET', '/api/objects/uploads');
    expect(json).toMatchObject({ objects: [{ key: 'uploaded.png', size: 2_000_000 }] });
  });
});

import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createS3Client } from '../../server/drivers/s3/s3-blob-store.ts';
import { FILENAME } from '../../server/s3/form-fields.ts';
import { hasChromium } from '../clients/chromium.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startS3rver } from '../support/s3rver.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  screenshot,
  startConsole,
} from './console-page.ts';

const LARGE = 50 * 1_048_576;
/** Bytes in a second: a large file is under way for most of a minute, however slow the machine is. */
const SLOW = 1_048_576;

interface Stored {
  readonly key: string;
  readonly size: number;
}

function uploadsOf(page: Page) {
  return page.getByRole('region', { name: 'Uploads' });
}

async function chooseFiles(
  page: Page,
  files: readonly { name: string; mimeType: string; buffer: Buffer }[],
): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Upload files' }).click(),
  ]);
  await chooser.setFiles([...files]);
}

function textFile(name: string, text: string) {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
}

const LIST = `document.querySelector('section[aria-label="Objects"]')`;

/** As a browser does when files are dropped: over the list, then on it. Runs in the page. */
const DROP = `(list, files) => {
  const transfer = new DataTransfer();
  for (const [name, text] of Object.entries(files)) {
    transfer.items.add(new File([text], name, { type: 'text/plain' }));
  }
  for (const type of ['dragover', 'drop']) {
    const init = { bubbles: true, cancelable: true, dataTransfer: transfer };
    const isFree = list.dispatchEvent(new DragEvent(type, init));
    if (isFree) throw new Error('Nobody took the ' + type);
  }
}`;

function dropFiles(page: Page, files: Readonly<Record<string, string>>): Promise<void> {
  return page.evaluate(`(${DROP})(${LIST}, ${JSON.stringify(files)})`);
}

/** A file made in the page: too large to be sent to the browser for each test. */
const DROP_LARGE = `(list, { name, size }) => {
  const block = new Uint8Array(65_536).map((_, at) => (at * 7 + (at >> 8)) % 256);
  const parts = Array.from({ length: size / block.length }, () => block);
  const transfer = new DataTransfer();
  transfer.items.add(new File(parts, name, { type: 'application/x-large' }));
  const init = { bubbles: true, cancelable: true, dataTransfer: transfer };
  list.dispatchEvent(new DragEvent('drop', init));
}`;

function dropLarge(page: Page, name: string): Promise<void> {
  return page.evaluate(`(${DROP_LARGE})(${LIST}, ${JSON.stringify({ name, size: LARGE })})`);
}

/** From the disk, as the browser's own drag and drop gives them. */
async function dropFromDisk(page: Page, path: string): Promise<void> {
  const box = await page.getByRole('region', { name: 'Objects' }).boundingBox();
  if (!box) throw new Error('The list cannot be seen.');
  const session = await page.context().newCDPSession(page);
  const at = { x: box.x + 40, y: box.y + 60 };
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, ...at, data });
  }
}

function largeDigest(size: number): string {
  const block = new Uint8Array(65_536).map((_, at) => (at * 7 + (at >> 8)) % 256);
  const hash = createHash('md5');
  for (let at = 0; at < size; at += block.length) hash.update(block);
  return hash.digest('hex');
}

interface Line {
  /** Bytes that leave the browser in a second; without it as many as can. */
  throttle(bytes?: number): Promise<void>;
}

/** One for a page: the conditions of several count together. */
async function lineOf(page: Page): Promise<Line> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  return {
    async throttle(uploadThroughput = -1) {
      const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput };
      await session.send('Network.emulateNetworkConditions', conditions);
    },
  };
}

describe.skipIf(!hasChromium)('uploads in the console', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  async function storedUnder(prefix: string): Promise<readonly Stored[]> {
    const { json } = await rest('GET', `/api/objects/uploads?prefix=${encodeURIComponent(prefix)}`);
    return (json as { objects: Stored[] }).objects;
  }

  it('take what is dropped and what is chosen, into the folder that is shown', async () => {
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=in%2F' });
    await page.getByText('There is nothing here yet').waitFor();
    await dropFiles(page, { 'a.txt': 'from a', 'b <i> \u202e.txt': 'from b' });
    await uploadsOf(page).getByText('2 files uploaded (12 B).').waitFor();
    await page.getByRole('link', { name: 'a.txt', exact: true }).waitFor();
    await chooseFiles(page, [textFile(`c ${FILENAME}.txt`, 'from c'), textFile('empty', '')]);
    await uploadsOf(page).getByText('4 files uploaded (18 B).').waitFor();
    const read = async (key: string): Promise<unknown> => {
      const { text, headers } = await rest('GET', `/uploads/in/${encodeURIComponent(key)}`);
      return [text, headers.get('content-type')];
    };
    expect(await read('a.txt')).toEqual(['from a', 'text/plain']);
    expect(await read('b <i> \u202e.txt')).toEqual(['from b', 'text/plain']);
    expect(await read(`c ${FILENAME}.txt`)).toEqual(['from c', 'text/plain']);
    expect((await storedUnder('in/')).map(({ size }) => size)).toEqual([6, 6, 6, 0]);

    await dropFiles(page, { 'line\nbreak.txt': 'x' });
    await uploadsOf(page).getByText('Browsers change line breaks in forms').waitFor();
    await dropFiles(page, { [`${'n'.repeat(1_022)}`]: 'x' });
    await uploadsOf(page).getByText('must have at most 1024 bytes').waitFor();
    await expectReadableWhenNarrow(page);
    await uploadsOf(page).getByRole('button', { name: 'Close' }).click();
    await uploadsOf(page).waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('take folders with what is in them', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'trip/day 1'), { recursive: true });
    await writeFile(join(folder, 'trip/notes.txt'), 'notes');
    await writeFile(join(folder, 'trip/day 1/a.txt'), 'a');
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=album%2F' });
    await page.getByText('There is nothing here yet').waitFor();
    await dropFromDisk(page, join(folder, 'trip'));
    await uploadsOf(page).getByText('2 files uploaded (6 B).').waitFor();
    const keys = (await storedUnder('album/')).map(({ key }) => key);
    expect(keys).toEqual(['album/trip/day 1/a.txt', 'album/trip/notes.txt']);
    await page.context().close();
    await rm(folder, { recursive: true });
  });

  it('ask before they replace what is there', async () => {
    await rest('PUT', '/uploads/twice/a.txt', 'old');
    await rest('PUT', '/uploads/twice/b.txt', 'old');
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=twice%2F' });
    await page.getByText('2 entries.').waitFor();
    await chooseFiles(page, [textFile('a.txt', 'new'), textFile('b.txt', 'new')]);
    await uploadsOf(page).getByText('2 to be decided on.').waitFor();
    expect((await rest('GET', '/uploads/twice/a.txt')).text).toBe('old');
    await page.getByRole('button', { name: 'Replace twice/a.txt' }).click();
    await page.getByRole('button', { name: 'Skip twice/b.txt' }).click();
    await uploadsOf(page).getByText('1 file uploaded (3 B), 1 skipped.').waitFor();
    expect((await rest('GET', '/uploads/twice/a.txt')).text).toBe('new');
    expect((await rest('GET', '/uploads/twice/b.txt')).text).toBe('old');
    await page.context().close();
  });

  it('of 50 MB tell how far they are, go on while something else is looked at, and arrive whole', async () => {
    await rest('PUT', '/uploads/large/poster.txt', 'x'.repeat(12_345));
    await rest('PUT', '/uploads/large/scenes/1.txt', 'x');
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=large%2F' });
    const line = await lineOf(page);
    await page.getByText('2 entries.').waitFor();
    await dropFiles(page, { 'credits.txt': 'Mia, Ada' });
    await page.getByRole('link', { name: 'credits.txt', exact: true }).waitFor();
    await line.throttle(SLOW);
    await dropLarge(page, 'film.bin');
    const bar = page.getByRole('progressbar', { name: 'Upload of large/film.bin' });
    const seen = new Set<number>();
    await expect
      .poll(async () => {
        const value = await bar.getAttribute('aria-valuetext');
        seen.add(Number(/(\d+) %$/.exec(value ?? '')?.[1] ?? 0));
        return [...seen].filter((percent) => percent > 0 && percent < 100).length;
      })
      .toBeGreaterThan(4);
    await screenshot(page, 'objects-upload');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    await line.throttle();
    await page.getByRole('link', { name: 'Objects' }).click();
    await uploadsOf(page).getByText('2 files uploaded (50.0 MiB).').waitFor({ timeout: 180_000 });
    const { headers } = await rest('HEAD', '/uploads/large/film.bin');
    expect(headers.get('content-length')).toBe(String(LARGE));
    expect(headers.get('etag')).toBe(`"${largeDigest(LARGE)}"`);
    expect(headers.get('content-type')).toBe('application/x-large');
    await page.context().close();
  });

  it('can be cancelled midway, and then nothing is stored', async () => {
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=cancelled%2F' });
    const line = await lineOf(page);
    await page.getByText('There is nothing here yet').waitFor();
    await line.throttle(SLOW);
    await dropLarge(page, 'film.bin');
    const bar = page.getByRole('progressbar', { name: 'Upload of cancelled/film.bin' });
    await expect
      .poll(async () => Number(await bar.getAttribute('value')))
      .toBeGreaterThan(1_048_576);
    await page.getByRole('button', { name: 'Cancel cancelled/film.bin' }).click();
    await uploadsOf(page).getByText('cancelled: nothing was stored').waitFor();
    await expect.poll(() => run.server.log()).toMatch(/"cutOff":true/);
    expect(await storedUnder('cancelled/')).toEqual([]);

    await line.throttle();
    await page.getByRole('button', { name: 'Retry cancelled/film.bin' }).click();
    await uploadsOf(page).getByText('1 file uploaded (50.0 MiB).').waitFor();
    expect(await storedUnder('cancelled/')).toMatchObject([{ size: LARGE }]);
    await page.context().close();
  });

  it('can be tried again after the connection was lost', async () => {
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=lost%2F' });
    await page.getByText('There is nothing here yet').waitFor();
    const form = `${run.server.url}/uploads`;
    await page.route(form, (route) => route.abort('connectionreset'), { times: 1 });
    await dropFiles(page, { 'a.txt': 'x' });
    await uploadsOf(page).getByText('The connection failed during the upload.').waitFor();
    expect(await storedUnder('lost/')).toEqual([]);
    await page.getByRole('button', { name: 'Retry lost/a.txt' }).click();
    await uploadsOf(page).getByText('1 file uploaded (1 B).').waitFor();
    expect(await storedUnder('lost/')).toMatchObject([{ size: 1 }]);
    await page.context().close();
  });

  it('tell members what they may not write, and end when the user signs out', async () => {
    const grants = [
      { prefix: 'uploads/mia/', access: 'write' },
      { prefix: 'uploads/shown/', access: 'read' },
    ];
    await rest('PUT', '/uploads/shown/a.txt', 'x');
    await rest('PUT', '/api/users/mia', { password: 'only mine', role: 'member', grants });
    const as = { username: 'mia', password: 'only mine' };
    const page = await run.open({ at: '#/objects?bucket=uploads&prefix=shown%2F', ...as });
    const line = await lineOf(page);
    await page.getByText('1 entry.').waitFor();
    await dropFiles(page, { 'b.txt': 'x' });
    await uploadsOf(page)
      .getByText('The user mia has no grant to write uploads/shown/b.txt')
      .waitFor();
    await page.goto(`${run.server.url}/console#/objects?bucket=uploads&prefix=mia%2F`);
    await page.getByText('There is nothing here yet').waitFor();
    await dropFiles(page, { 'c.txt': 'mine' });
    await page.getByRole('link', { name: 'c.txt', exact: true }).waitFor();
    await line.throttle(SLOW);
    await dropLarge(page, 'd.bin');
    await page.getByRole('progressbar', { name: 'Upload of mia/d.bin' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
    expect((await storedUnder('mia/')).map(({ key }) => key)).toEqual(['mia/c.txt']);
    await page.context().close();
  });
});

describe.skipIf(!hasChromium)('the console of a server that is called by another name', () => {
  let run: ConsoleRun;

  beforeAll(async () => {
    run = await startConsole({ env: { PUBLIC_URL: 'https://saves.example/keystow' } });
  });

  afterAll(() => run?.stop());

  it('uploads and downloads at its own origin', async () => {
    const page = await run.open({ at: '#/objects?bucket=uploads' });
    await page.getByText('There is nothing here yet').waitFor();
    await dropFiles(page, { 'a.txt': 'by another name' });
    await page.getByRole('link', { name: 'a.txt', exact: true }).first().click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.url()).toMatch(/^blob:/);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('by another name');
    await page.context().close();
  });
});

describe.skipIf(!hasChromium)('the console of a server whose uploads go past it', () => {
  let run: ConsoleRun;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const store = await startS3rver();
    stop = store.stop;
    // The server within this process takes them from here.
    vi.stubEnv('AWS_ACCESS_KEY_ID', store.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', store.secretAccessKey);
    const bucket = 'blobs';
    const place = { bucket, endpoint: store.url, region: 'us-east-1', forcePathStyle: true };
    const client = createS3Client(place);
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    const query = `endpoint=${encodeURIComponent(store.url)}&forcePathStyle=true`;
    run = await startConsole({ env: { BLOBS: `s3://${bucket}?${query}`, DIRECT_UPLOADS: 'on' } });
  });

  afterAll(async () => {
    await run?.stop();
    await stop?.();
    vi.unstubAllEnvs();
  });

  it('says that it cannot upload', async () => {
    const page = await run.open({ at: '#/objects?bucket=uploads' });
    await page.getByText('There is nothing here yet').waitFor();
    await dropFiles(page, { 'a.txt': 'past it' });
    await uploadsOf(page).getByText('This server has files uploaded to another store').waitFor();
    await page.context().close();
  });
});

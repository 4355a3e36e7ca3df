import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  type OpenOptions,
  screenshot,
  signIn,
  startConsole,
} from './console-page.ts';

const NDJSON = { accept: 'application/x-ndjson' };
const MANY = 5_000;
const HOSTILE_KEYS = [
  'odd/<script>alert(1)</script>',
  'odd/\u202etxt.exe',
  'odd/line\nbreak',
  'odd/../up',
  `odd/${'long'.repeat(127)}`,
  'odd/"quotes" and \\ and é😀',
];
const LOSSLESS = [
  '{"n":1.0,"big":12345678901234567890,"tiny":1e-400}',
  '{"__proto__":{"polluted":true},"constructor":1}',
  '{"10":1,"9":2,"a":1,"a":2}',
  '[ "\\u0041\\/" , -0.0 ]',
];

function lineOf(key: string, value: string): string {
  return `{"key":${JSON.stringify(key)},"value":${value}}`;
}

function manyLines(prefix: string, filler = ''): string[] {
  return Array.from({ length: MANY }, (_, at) =>
    lineOf(`${prefix}${String(at).padStart(5, '0')}`, `{"level": ${at}.0${filler}}`),
  );
}

async function seed(rest: Rest, lines: readonly string[]): Promise<void> {
  for (let at = 0; at < lines.length; at += 1_000) {
    const members = lines.slice(at, at + 1_000).map((line) => {
      const { key } = JSON.parse(line);
      const url = JSON.stringify(`/data/${encodeURIComponent(key)}`);
      const value = line.slice(line.indexOf(',"value":') + 9, -1);
      return `{"method":"POST","url":${url},"data":${value}}`;
    });
    const answer = await rest('POST', '/api/batch', `[${members.join(',')}]`);
    expect(answer.status).toBe(200);
  }
}

async function choose(page: Page, name: string, content: string | Buffer): Promise<void> {
  const buffer = Buffer.from(content);
  await page
    .getByLabel('Choose a file')
    .setInputFiles({ name, mimeType: 'application/x-ndjson', buffer });
}

/**
 * A file of the page's own file system in the place of the one that a person would pick. Its disk is slow, and
 * takes no more than four chunks until `release` is called.
 */
const PICKED = `
  const released = new Promise((resolve) => (window.release = resolve));
  window.showSaveFilePicker = async ({ suggestedName }) => {
    const folder = await navigator.storage.getDirectory();
    const file = await folder.getFileHandle(suggestedName, { create: true });
    const open = file.createWritable.bind(file);
    let chunks = 0;
    file.createWritable = async () => {
      const stream = await open();
      const write = stream.write.bind(stream);
      stream.write = async (chunk) => {
        chunks += 1;
        if (chunks > 4) await released;
        else await new Promise((resolve) => setTimeout(resolve, 120));
        await write(chunk);
      };
      return stream;
    };
    return file;
  };
`;
/** Neither none nor all of 5,000. */
const SOME_DOCUMENTS = /^([1-9]\d{0,2}|[1-4],\d{3}) documents, [\d.]+ (KiB|MiB)$/;
const PICKED_FILES = `(async () => {
  const files = [];
  for await (const file of (await navigator.storage.getDirectory()).values()) {
    files.push([file.name, await (await file.getFile()).text()]);
  }
  return files;
})()`;

/** Chromium without a window has nobody to pick a file. */
async function open(run: ConsoleRun, options: OpenOptions = {}): Promise<Page> {
  const page = await run.open({ at: '#/transfer', ...options });
  await page.evaluate('window.showSaveFilePicker = undefined');
  return page;
}

async function download(page: Page): Promise<{ name: string; text: string }> {
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const file = await coming;
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

describe.skipIf(!hasChromium)('export in the console', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
    await seed(rest, manyLines('players/', `,"note":"${'x'.repeat(1_000)}"`));
    const others = LOSSLESS.map((value, at) => lineOf(HOSTILE_KEYS[at] ?? '', value));
    await seed(rest, others);
  });

  afterAll(() => run?.stop());

  it('is byte for byte what the server sends, of all keys and of those with a prefix', async () => {
    const page = await open(run);
    const all = await rest('GET', '/data', undefined, NDJSON);
    const whole = await download(page);
    expect(whole.text === all.text).toBe(true);
    expect(whole.name).toMatch(/^keystow-\d{4}-\d\d-\d\d\.ndjson$/);
    const revision = all.headers.get('x-keystow-revision');
    await page.getByText(/^Saved 5,004 documents/).waitFor();
    await page.getByText(`as of revision ${revision}.`).waitFor();

    await page.getByLabel('Keys that begin with').fill('odd/');
    await expect.poll(() => page.evaluate('location.hash')).toBe('#/transfer?prefix=odd%2F');
    const part = await download(page);
    expect(part.text).toBe((await rest('GET', '/data?prefix=odd/', undefined, NDJSON)).text);
    expect(part.name).toMatch(/^keystow-odd-\d{4}-\d\d-\d\d\.ndjson$/);
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await page.context().close();
  });

  it('goes straight to the disk where the browser can, and says how far it is', async () => {
    const page = await open(run);
    await page.evaluate(PICKED);
    await page.getByLabel('Keys that begin with').fill('players/');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('progressbar', { name: 'Export' }).waitFor();
    await page.getByText(SOME_DOCUMENTS).waitFor();
    await page.evaluate('release()');
    await page.getByText(/^Saved 5,000 documents/).waitFor();
    const files = await page.evaluate<[string, string][]>(PICKED_FILES);
    const expected = await rest('GET', '/data?prefix=players/', undefined, NDJSON);
    expect(files.map(([name]) => name)).toEqual([
      expect.stringMatching(/^keystow-players-.*\.ndjson$/),
    ]);
    expect(files[0]?.[1] === expected.text).toBe(true);
    await page.context().close();
  });

  it('leaves no file when it is cancelled', async () => {
    const page = await open(run);
    await page.evaluate(PICKED);
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByText(SOME_DOCUMENTS).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.evaluate('release()');
    await page.getByText('The export was cancelled: nothing was saved.').waitFor();
    await expect.poll(() => page.evaluate(PICKED_FILES)).toEqual([]);
    await page.context().close();
  });

  it('says that the disk took no more, and leaves no file', async () => {
    const page = await open(run);
    await page.evaluate(PICKED);
    await page.evaluate(`
      FileSystemWritableFileStream.prototype.write = async () => {
        throw new DOMException('The disk is full.', 'QuotaExceededError');
      };
    `);
    await page.getByRole('button', { name: 'Export' }).click();
    const sentence = 'The file could not be written: The disk is full. Choose another place.';
    await page.getByRole('alert').getByText(sentence).waitFor();
    await expect.poll(() => page.evaluate(PICKED_FILES)).toEqual([]);
    await page.context().close();
  });

  it('says that the connection broke off, and saves nothing', async () => {
    let left = Number.POSITIVE_INFINITY;
    const proxy = await startTcpProxy({
      ports: [Number(new URL(run.server.url).port)],
      letsThrough(chunk) {
        left -= chunk.length;
        return left > 0;
      },
    });
    const origin = `http://127.0.0.1:${proxy.port}`;
    const page = await run.newWindow({ origin });
    const downloads: unknown[] = [];
    page.on('download', (file) => downloads.push(file));
    await page.goto(`${origin}/console#/transfer`);
    await signIn(page, 'admin', run.server.password);
    await page.evaluate('window.showSaveFilePicker = undefined');
    left = 2_000_000;
    await page.getByRole('button', { name: 'Export' }).click();
    await page
      .getByRole('alert')
      .getByText(/The connection broke off after [\d,]+ documents/)
      .waitFor();
    left = Number.POSITIVE_INFINITY;
    expect(downloads).toEqual([]);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Try again' }).click();
    const text = await readFile(await (await coming).path(), 'utf8');
    expect(text === (await rest('GET', '/data', undefined, NDJSON)).text).toBe(true);
    await page.context().close();
    await proxy.stop();
  });
});

describe.skipIf(!hasChromium)('import in the console', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  async function countOf(prefix: string): Promise<number> {
    const answer = await rest('GET', `/data?prefix=${encodeURIComponent(prefix)}`);
    const keys = answer.json;
    return Array.isArray(keys) ? keys.length : -1;
  }

  it('stores what an export has, but for the ETags, and tells how far it is', async () => {
    const lines = manyLines('players/');
    const others = [...HOSTILE_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const odd = others.map((key, at) => lineOf(key, LOSSLESS[at % LOSSLESS.length] ?? ''));
    const page = await open(run);
    const held: Route[] = [];
    await page.route('**/api/batch', async (route) => {
      held.push(route);
      if (held.length !== 3) await route.continue();
    });
    await choose(page, 'all.ndjson', `${[...odd, ...lines].join('\n')}\n`);
    await page.getByText('all.ndjson has 5,006 documents in 5,006 lines').waitFor();
    expect(await countOf('')).toBe(0);
    await page.getByRole('button', { name: 'Import 5,006 documents' }).click();
    await page.getByText(/^2,000 of 5,006 lines, [\d.]+ KiB of [\d.]+ KiB/).waitFor();
    const bar = page.getByRole('progressbar', { name: 'Import' });
    expect(Number(await bar.getAttribute('value'))).toBeGreaterThan(10_000);
    await expect.poll(() => held.length).toBe(3);
    expect(await countOf('')).toBe(2_000);
    await held[2]?.continue();
    await page.getByText('all.ndjson is imported: 5,006 documents stored.').waitFor();

    await page.getByLabel('Keys that begin with').fill('');
    const { text } = await download(page);
    expect(text.replaceAll(/"etag":"\\"\d+\\"",/g, '')).toBe(`${[...odd, ...lines].join('\n')}\n`);
    await page.context().close();
  });

  it('takes a dropped file, and leads to the documents with what their keys begin with', async () => {
    const page = await open(run);
    const content = `${lineOf('dropped/one', '{}')}\n${lineOf('dropped/only', '{}')}`;
    const transfer = await page.evaluateHandle(
      `(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([${JSON.stringify(content)}], 'dropped.ndjson'));
        return transfer;
      })()`,
    );
    await page
      .getByText('Choose a file, or drop it here')
      .dispatchEvent('drop', { dataTransfer: transfer });
    await page.getByRole('button', { name: 'Import 2 documents' }).click();
    const link = page.getByRole('link', { name: 'Show the documents that begin with dropped/on' });
    await link.waitFor();
    await expect.poll(() => link.getAttribute('href')).toBe('#/documents?prefix=dropped%2Fon');
    expect((await rest('GET', '/data?prefix=dropped/')).json).toEqual([
      'dropped/one',
      'dropped/only',
    ]);
    await page.context().close();
  });

  it.each([
    ['Replace the document', 'Created3Replaced2Skipped0Refused0', '{"from":"file"}'],
    ['Skip the line', 'Created3Replaced0Skipped2Refused0', '{"old":1.0}'],
    ['Refuse the line', 'Created3Replaced0Skipped0Refused2', '{"old":1.0}'],
  ])('does with keys that exist as it is told: %s', async (rule, counts, left) => {
    const prefix = `${rule.slice(0, 4)}/`;
    const keys = ['a', 'b', 'c', 'd', 'e'].map((name) => prefix + name);
    await seed(rest, [lineOf(`${prefix}b`, '{"old":1.0}'), lineOf(`${prefix}d`, '{"old":1.0}')]);
    const page = await open(run);
    await choose(page, 'a.ndjson', keys.map((key) => lineOf(key, '{"from":"file"}')).join('\n'));
    await page.getByLabel(rule).check();
    await page.getByRole('button', { name: 'Import 5 documents' }).click();
    await page.getByText(/^a.ndjson is imported/).waitFor();
    await expect.poll(() => page.locator('.counts').textContent()).toBe(counts);
    for (const key of keys) {
      const expected = /[bd]$/.test(key) ? left : '{"from":"file"}';
      expect((await rest('GET', `/data/${key}`)).text).toBe(expected);
    }
    if (rule.startsWith('Refuse')) {
      await page.getByRole('row', { name: `2 ${prefix}b ${prefix}b already exists.` }).waitFor();
      await page.getByRole('row', { name: `4 ${prefix}d ${prefix}d already exists.` }).waitFor();
    }
    await page.context().close();
  });

  it('stores the last of several lines with one key, and says before that there are some', async () => {
    const page = await open(run);
    const lines = [1, 2, 3].map((n) => lineOf('twice', `{"n":${n}}`));
    await choose(page, 'twice.ndjson', lines.join('\n'));
    await page
      .getByText('There are 2 lines with a key that an earlier line has (line 2, 3)')
      .waitFor();
    await page.getByRole('button', { name: 'Import 3 documents' }).click();
    await page.getByText(/^twice.ndjson is imported/).waitFor();
    expect((await rest('GET', '/data/twice')).text).toBe('{"n":3}');
    await page.context().close();
  });

  it('names what is broken before anything is stored, and leaves it out', async () => {
    const page = await open(run);
    const content = Buffer.concat([
      Buffer.from(`${lineOf('checked/a', '{}')}\n\nnonsense\n${lineOf('checked/b', '1')}\n`),
      Buffer.from('{"key":"checked/\xff","value":{}}\n', 'latin1'),
      Buffer.from(`{"key":"checked/c"}\n${lineOf('x'.repeat(513), '{}')}\n`),
      Buffer.from(lineOf('checked/<b>', '{}')),
    ]);
    await choose(page, 'broken.ndjson', content);
    await page.getByText('An import would leave out 5 broken lines:').waitFor();
    const rows = page
      .getByRole('table', { name: 'Lines that cannot be imported' })
      .getByRole('row');
    await expect
      .poll(() => rows.allTextContents())
      .toEqual([
        'LineWhy',
        '3the line must be JSON, such as {"key":"a","value":{}}.',
        '4"value" must be a JSON object or array.',
        '5the line must be valid UTF-8.',
        '6there is no "value".',
        '7"key" must have at most 512 bytes of UTF-8.',
      ]);
    expect(await countOf('checked/')).toBe(0);
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await page.getByRole('button', { name: 'Import 2 documents' }).click();
    await page.getByText(/^broken.ndjson is imported: 2 documents stored/).waitFor();
    expect((await rest('GET', '/data?prefix=checked/')).json).toEqual(['checked/<b>', 'checked/a']);
    await page.context().close();
  });

  it('refuses files that have no such lines with a sentence', async () => {
    const page = await open(run);
    for (const [content, sentence] of [
      [gzipSync('{}'), /compressed by gzip/],
      [Buffer.alloc(5_000), /The file is binary/],
      ['{"key":"data/a","version":1,"text":"{}"}\n', /part of a backup.*keystow restore/],
      ['', /The file is empty/],
    ] as const) {
      await choose(page, 'mistake', content);
      await page.getByRole('alert').getByText(sentence).waitFor();
    }
    await choose(page, 'text.txt', 'just\ntext\n');
    await page.getByText('There is no document in it, but 2 broken lines:').waitFor();
    expect(await page.getByRole('button', { name: /^Import/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'Choose another file' }).click();
    await page.getByLabel('Choose a file').waitFor();
    await page.context().close();
  });

  it('pauses, goes on, and says how many are stored when it is cancelled', async () => {
    const page = await open(run);
    const lines = manyLines('cancelled/');
    await seed(rest, lines.slice(0, 250));
    await page.getByLabel('Keys that begin with').fill('cancelled/');
    await download(page);
    // The first batch takes two, of which the first finds out what exists.
    let requests = 0;
    const held: Route[] = [];
    await page.route('**/api/batch', async (route) => {
      requests += 1;
      if (requests === 3 || requests === 5) held.push(route);
      else await route.continue();
    });
    await choose(page, 'players.ndjson', lines.join('\n'));
    await page.getByRole('button', { name: 'Import 5,000 documents' }).click();
    await page.getByText(/^1,000 of 5,000 lines/).waitFor();
    await expect.poll(() => held.length).toBe(1);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await held[0]?.continue();
    await page.getByText('Paused in').waitFor();
    await page.getByText(/^2,000 of 5,000 lines/).waitFor();
    expect(requests).toBe(3);
    await screenshot(page, 'transfer');
    const question = page.waitForEvent('dialog');
    await page.close({ runBeforeUnload: true });
    expect((await question).type()).toBe('beforeunload');
    await (await question).dismiss();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText(/^3,000 of 5,000 lines/).waitFor();
    // It goes on while another view is shown.
    await page.getByRole('link', { name: 'Saves' }).click();
    await page.getByRole('link', { name: 'Import and export' }).click();
    await expect.poll(() => held.length).toBe(2);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Stopping after this batch').waitFor();
    await held[1]?.continue();
    await page
      .getByText('before the end of the file: 4,000 documents stored, which stay.')
      .waitFor();
    expect(await countOf('cancelled/')).toBe(4_000);
    expect(requests).toBe(5);
    const counts = await page.locator('.counts').textContent();
    expect(counts).toBe('Created3,750Replaced250Skipped0Refused0');
    await expectAccessible(page);
    await page.context().close();
  });

  it('tries a batch again whose answer was lost, and counts it once', async () => {
    const page = await open(run);
    let batches = 0;
    let held: Route | undefined;
    await page.route('**/api/batch', async (route) => {
      batches += 1;
      if (batches === 3) {
        held = route;
      } else if (batches === 2) {
        await route.fetch();
        await route.abort();
      } else {
        await route.continue();
      }
    });
    await choose(page, 'many.ndjson', manyLines('lost/').join('\n'));
    await page.getByLabel('Skip the line').check();
    await page.getByRole('button', { name: 'Import 5,000 documents' }).click();
    await page.getByRole('alert').getByText('It is tried again.').waitFor();
    await expect.poll(() => held).toBeDefined();
    await held?.continue();
    await page.getByText('many.ndjson is imported: 5,000 documents stored.').waitFor();
    await expect
      .poll(() => page.locator('.counts').textContent())
      .toBe('Created5,000Replaced0Skipped0Refused0');
    expect(batches).toBe(6);
    await page.context().close();
  });

  it('asks before a batch is tried again that the server could not store', async () => {
    const page = await open(run);
    const sentence = 'The disk is full.';
    await page.route('**/api/batch', (route) =>
      route.fulfill({ status: 507, json: { error: sentence } }),
    );
    await choose(page, 'a.ndjson', lineOf('full/a', '{}'));
    await page.getByRole('button', { name: 'Import 1 document' }).click();
    await page.getByRole('alert').getByText(sentence).waitFor();
    await page.unroute('**/api/batch');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('a.ndjson is imported: 1 document stored.').waitFor();
    expect(await countOf('full/')).toBe(1);
    await page.context().close();
  });

  it('ends with the session, and shows the next one nothing of it', async () => {
    const page = await open(run);
    let requests = 0;
    await page.route('**/api/batch', async (route) => {
      requests += 1;
      if (requests < 2) await route.continue();
    });
    await choose(page, 'many.ndjson', manyLines('signed-out/').join('\n'));
    await page.getByRole('button', { name: 'Import 5,000 documents' }).click();
    await page.getByText(/^1,000 of 5,000 lines/).waitFor();
    await expect.poll(() => requests).toBe(2);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, 'admin', run.server.password);
    await page.getByLabel('Choose a file').waitFor();
    expect(requests).toBe(2);
    expect(await countOf('signed-out/')).toBe(1_000);
    await page.context().close();
  });

  it('stores for a member what its grants cover, and names the other lines', async () => {
    const grants = [{ prefix: 'data/own/', access: 'write' }];
    await rest('PUT', '/api/users/ada', { password: 'pw-of-ada', role: 'member', grants });
    const page = await open(run, { username: 'ada', password: 'pw-of-ada' });
    const hostile = HOSTILE_KEYS.map((key) => key.replace('odd/', 'own/'));
    const lines = ['own/a', 'theirs/<b>', ...hostile, 'own/z'].map((key) => lineOf(key, '{}'));
    await choose(page, '<i>members\u202e.ndjson', lines.join('\n'));
    await page.getByRole('button', { name: 'Import 9 documents' }).click();
    await page.getByText(/is imported: 8 documents stored/).waitFor();
    const refused = page.getByRole('table', { name: 'Lines that were refused' }).getByRole('row');
    await expect.poll(() => refused.count()).toBe(2);
    await refused.getByText('theirs/<b>').first().waitFor();
    await expect.poll(() => refused.nth(1).getByRole('cell').first().textContent()).toBe('2');
    expect(await countOf('own/')).toBe(8);
    expect(await countOf('theirs/')).toBe(0);
    await page.getByLabel('Keys that begin with').fill('');
    const { text } = await download(page);
    expect(text).toBe((await rest('GET', '/data?prefix=own/', undefined, NDJSON)).text);
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await page.context().close();
  });

  it('is used with the keyboard alone', async () => {
    const page = await open(run);
    const content = [lineOf('keyboard/a', '{}'), lineOf('keyboard/b', '[]'), 'broken'].join('\n');
    await choose(page, 'players.ndjson', content);
    await page.getByRole('button', { name: 'Import 2 documents' }).waitFor();
    await page.getByLabel('Replace the document').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText(/^players.ndjson is imported: 2 documents stored/).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.tagName')).not.toBe('BODY');
    await page.context().close();
  });
});

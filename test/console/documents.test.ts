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
import {
  button,
  editorOf,
  expectText,
  keyIn,
  openDocument,
  save,
  write,
} from './documents-page.ts';

const KEYS = 20_000;
const MAX_DOCUMENT_BYTES = 65_536;

describe.skipIf(!hasChromium)('the documents of the console', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole({ env: { MAX_DOCUMENT_BYTES: String(MAX_DOCUMENT_BYTES) } });
    rest = createRest(run.server.url);
    for (let from = 0; from < KEYS; from += 1_000) {
      const batch = Array.from({ length: 1_000 }, (_, at) => ({
        url: `/data/load/${String(from + at).padStart(5, '0')}`,
        method: 'POST',
        data: { n: from + at },
      }));
      expect((await rest('POST', '/api/batch', batch)).status).toBe(200);
    }
  });

  afterAll(() => run?.stop());

  const put = async (key: string, text: string): Promise<void> => {
    const path = `/data/${encodeURIComponent(key)}`;
    const answer = await rest('PUT', path, text, { 'if-none-match': '*' });
    expect(answer.status).toBe(201);
  };
  const stored = async (key: string): Promise<string> =>
    (await rest('GET', `/data/${encodeURIComponent(key)}`)).text;

  it('are found by a prefix, and scrolled through to the end', async () => {
    const page = await run.open({ at: '#/documents' });
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await keyIn(page, 'load/00000').waitFor();
    const list = page.getByRole('listbox', { name: 'Keys' });
    await page.getByLabel('Keys that begin with').fill('load/1234');
    await page.getByText('10 keys').waitFor();
    expect(new URL(page.url()).hash).toBe('#/documents?prefix=load%2F1234');
    await expect
      .poll(() => page.getByRole('option').allTextContents())
      .toEqual(Array.from({ length: 10 }, (_, at) => `load/1234${at}`));
    await page.getByLabel('Keys that begin with').fill('load/1');
    await page.getByText('500 keys, more as you scroll').waitFor();
    const failure = { status: 403, json: { error: 'Not this page.' } };
    await page.route('**/data?*after=*', (route) => route.fulfill(failure), { times: 1 });
    await list.press('End');
    await page.getByRole('alert').getByText('Not this page.').waitFor();
    await page.getByText('500 keys', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('1,000 keys, more as you scroll').waitFor();
    const last = keyIn(page, 'load/19999');
    await expect
      .poll(
        async () => {
          await list.press('End');
          return last.isVisible();
        },
        { timeout: 120_000, interval: 20 },
      )
      .toBe(true);
    await page.getByText('10,000 keys', { exact: true }).waitFor();
    expect(await page.getByRole('option').count()).toBeLessThan(100);
    expect(requested.filter((url) => url.includes('code-mirror'))).toEqual([]);
    await last.click();
    await expectText(page, '{"n":19999}');
    expect(requested.filter((url) => url.includes('code-mirror'))).toHaveLength(1);
    await expect.poll(() => last.getAttribute('aria-selected')).toBe('true');
    await page.getByLabel('Keys that begin with').fill('nothing');
    await page.getByText('No key that you may read begins with').waitFor();
    await page.context().close();
  });

  it('are seen in the list when a link leads to them, in forced colours too', async () => {
    const page = await run.open({
      at: '#/documents?prefix=load%2F1&key=load%2F10100',
      context: { viewport: { width: 1280, height: 800 }, forcedColors: 'active' },
    });
    const chosen = keyIn(page, 'load/10100');
    await expect.poll(() => chosen.getAttribute('aria-selected')).toBe('true');
    const backgroundOf = (row: string): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector('${row}')).backgroundColor`);
    await expect
      .poll(() => backgroundOf('[aria-selected=true]'))
      .not.toBe(await backgroundOf('[aria-selected=false]'));
    await page.getByRole('listbox', { name: 'Keys' }).press('ArrowDown');
    await page.keyboard.press('Enter');
    await expectText(page, '{"n":10101}');
    await page.context().close();
  });

  it('are created, edited, formatted, reverted and saved', async () => {
    const page = await run.open({ at: '#/documents?prefix=made%2F' });
    await button(page, 'New document').click();
    await page.getByLabel('Key', { exact: true }).fill('made/é');
    await page.getByText('7 of 512 bytes').waitFor();
    await page.keyboard.press('Enter');
    await expectText(page, '{}');
    expect(await stored('made/é')).toBe('{}');
    await expect.poll(() => keyIn(page, 'made/é').getAttribute('aria-selected')).toBe('true');
    await expect.poll(() => button(page, 'Save').isDisabled()).toBe(true);

    await write(page, '{"gold":1.0,"list":[1,2]}');
    await button(page, 'Format').click();
    const formatted = '{\n  "gold": 1.0,\n  "list": [\n    1,\n    2\n  ]\n}';
    await expectText(page, formatted);
    await button(page, 'Save').click();
    await page.getByText('Saved as number').waitFor();
    expect(await stored('made/é')).toBe(formatted);

    await write(page, '[]');
    await button(page, 'Revert').click();
    await expectText(page, formatted);
    await editorOf(page).press('ControlOrMeta+z');
    await expectText(page, '[]');
    await save(page);
    expect(await stored('made/é')).toBe('[]');

    await button(page, 'New document').click();
    await page.getByLabel('Key', { exact: true }).fill('load/00007');
    await button(page, 'Create').click();
    await page.getByText(/There is such a document already/).waitFor();
    await button(page, 'Open it').click();
    await expectText(page, '{"n":7}');

    await button(page, 'New document').click();
    await page.getByLabel('Key', { exact: true }).fill('é'.repeat(257));
    await page.getByText('514 of 512 bytes: shorten the key.').waitFor();
    await expect.poll(() => button(page, 'Create').isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.context().close();
  });

  it.each([
    [
      'numbers, names and escapes',
      '{"b":1.0,"a":12345678901234567890,"__proto__":{"x":1e400},"b":"\\u0041","1":-0}',
    ],
    ['line ends of DOS', '{\r\n\t"a": 1,\r\n\t"b": "é"\r\n}\r\n'],
    ['line ends of three kinds', '{\r\n"a":\r 1,\n\n"b":2 }'],
    [
      'what cannot be seen',
      '{"\u202e":"\u2066\u200b\u00a0\u2028\ufeff\u0085\u{1f469}\u200d\u{1f680}\u007f"}',
    ],
  ])('keep byte for byte what is not touched: %s', async (name, text) => {
    await put(name, text);
    const page = await openDocument(run, name);
    await editorOf(page).press('ControlOrMeta+End');
    await page.keyboard.type(' ');
    await save(page);
    expect(await stored(name)).toBe(`${text} `);
    await page.keyboard.press('Backspace');
    await save(page);
    expect(await stored(name)).toBe(text);
    await page.context().close();
  });

  it('are not saved while they are no JSON, and it says where', async () => {
    await put('invalid', '{\n  "a": 1\n}');
    const page = await openDocument(run, 'invalid');
    await write(page, '{"a": 1,}');
    await page.getByText('Line 1, column 9: There is a comma too many before “}”.').waitFor();
    await expect.poll(() => button(page, 'Save').isDisabled()).toBe(true);
    await expect.poll(() => editorOf(page).getAttribute('aria-invalid')).toBe('true');
    await expect.poll(() => page.locator('.cm-lintRange-error').textContent()).toBe('}');
    await page.locator('.cm-lintRange-error').hover();
    await page.locator('.cm-tooltip').getByText('a comma too many').waitFor();
    await editorOf(page).press('ControlOrMeta+f');
    await page.getByRole('textbox', { name: 'Find' }).fill('a');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('ControlOrMeta+S');
    await page.getByText('Not saved. Line 1, column 9').waitFor();
    await write(page, '17');
    await page.getByText('A document is an object { } or an array [ ]').waitFor();
    expect(await stored('invalid')).toBe('{\n  "a": 1\n}');
    await expectAccessible(page);
    await write(page, JSON.stringify(['x'.repeat(MAX_DOCUMENT_BYTES)]));
    await page.keyboard.press('ControlOrMeta+S');
    await page.getByText(`The body is larger than ${MAX_DOCUMENT_BYTES} bytes.`).waitFor();
    expect(await stored('invalid')).toBe('{\n  "a": 1\n}');
    await page.context().close();
  });

  it('are deleted at once, and come back as they were', async () => {
    const text = '{"gold": 12345678901234567890.0 }';
    await put('gone/1', text);
    await put('gone/2', '{}');
    const page = await openDocument(run, 'gone/1');
    await button(page, 'Delete').click();
    await page.getByText('Deleted \u2068gone/1\u2069.').waitFor();
    expect((await rest('GET', '/data/gone/1')).status).toBe(404);
    expect(new URL(page.url()).hash).toBe('#/documents');
    await expect.poll(() => page.evaluate('document.activeElement.type')).toBe('search');
    await button(page, 'Undo').click();
    await expectText(page, text);
    expect(await stored('gone/1')).toBe(text);

    await button(page, 'Delete').click();
    await page.getByText('Deleted \u2068gone/1\u2069.').waitFor();
    await put('gone/1', '{"by":"another"}');
    await button(page, 'Undo').click();
    await page.getByText('Someone has created \u2068gone/1\u2069 again: theirs is kept.').waitFor();
    expect(await stored('gone/1')).toBe('{"by":"another"}');
    await page.context().close();
  });

  it('do nothing but show, whatever they and their keys are', async () => {
    const script =
      '<script>globalThis.hacked = 1</script><img src=x onerror="globalThis.hacked = 2">';
    const hostile = [
      ...[`hostile/${script}`, 'hostile/\u202egpj.exe\u202c', 'hostile/two\nlines', 'hostile/..'],
      ...['hostile/%2e%2F&?#', `hostile/${'w'.repeat(504)}`, 'hostile/'],
    ];
    const text = JSON.stringify({ [script]: `\u202e${script}`, long: 'w'.repeat(20_000) });
    for (const key of hostile) await put(key, text);
    const page = await run.open({ at: '#/documents?prefix=hostile%2F' });
    await page.getByText(`${hostile.length} keys`).waitFor();
    const rows = page.getByRole('option');
    for (let at = 0; at < hostile.length; at += 1) {
      const shown = await rows.nth(at).textContent();
      await rows.nth(at).click();
      await page.getByRole('heading', { level: 2, name: shown ?? '', exact: true }).waitFor();
      await editorOf(page).waitFor();
      await editorOf(page).press('ControlOrMeta+Home');
      await page.keyboard.type(' ');
      await save(page);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(1280);
      await expectReadableWhenNarrow(page);
    }
    for (const key of hostile) expect(await stored(key)).toBe(` ${text}`);
    await page.getByText('hostile/⟨U+202E⟩gpj.exe⟨U+202C⟩').first().waitFor();
    await page.getByText('hostile/two⟨U+000A⟩lines').first().waitFor();
    expect(await page.evaluate('globalThis.hacked')).toBeUndefined();
    await expectAccessible(page);
    await page.context().close();
  });

  it('are those that the grants of a member cover', async () => {
    const password = 'a long password';
    const grants = [
      { prefix: 'data/mine/', access: 'write' },
      { prefix: 'data/shown/', access: 'read' },
    ];
    await rest('PUT', '/api/users/mia', { password, role: 'member', grants });
    await rest('PUT', '/api/users/nobody', { password, role: 'member', grants: [] });
    await put('shown/1', '{}');
    await put('mine/1', '{}');
    const page = await run.open({ at: '#/documents', username: 'mia', password });
    await page.getByText('2 keys').waitFor();
    await keyIn(page, 'mine/1').click();
    await editorOf(page).waitFor();
    await write(page, '{"by":"mia"}');
    await save(page);
    expect(await stored('mine/1')).toBe('{"by":"mia"}');
    await keyIn(page, 'shown/1').click();
    await expectText(page, '{}');
    await write(page, '{"by":"mia"}');
    await button(page, 'Save').click();
    await page
      .getByRole('alert')
      .filter({ hasText: /ask an admin/i })
      .waitFor();
    expect(await stored('shown/1')).toBe('{}');
    await page.context().close();

    const other = await run.open({ at: '#/documents', username: 'nobody', password });
    await other.getByText('There is nothing here that you may read.').waitFor();
    await expectAccessible(other);
    await other.context().close();
  });

  it('are used with the keyboard alone', async () => {
    await put('keyboard/1', '{}');
    await put('keyboard/2', '{}');
    const page = await run.open({ at: '#/documents' });
    await keyIn(page, 'load/00000').or(page.getByRole('option').first()).first().waitFor();
    const { keyboard } = page;
    await keyboard.press('Tab');
    await keyboard.type('keyboard/');
    await page.getByText('2 keys', { exact: true }).waitFor();
    for (const key of ['Tab', 'Tab', 'ArrowDown', 'Enter']) await keyboard.press(key);
    await page.getByRole('heading', { level: 2, name: 'keyboard/2' }).waitFor();
    await editorOf(page).waitFor();
    for (const key of ['Tab', 'Tab', 'ArrowRight']) await keyboard.press(key);
    await keyboard.type('"by": "hand"');
    await save(page);
    expect(await stored('keyboard/2')).toBe('{"by": "hand"}');
    await keyboard.press('Escape');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByText('Deleted \u2068keyboard/2\u2069.').waitFor();
    await page.context().close();
  });

  it('look like this', async () => {
    const ada = {
      name: 'Ada Lovelace',
      level: 42,
      gold: 12,
      inventory: ['lantern', 'rope', 'map of the marsh'],
      position: { map: 'marsh', x: 118.5, y: -7 },
      quests: { 'the-mill': 'done', 'the-well': 'open' },
      isOnline: true,
      guild: null,
    };
    for (const name of ['ada', 'ben', 'chidi', 'dora', 'emil', 'فاطمة', 'zoë']) {
      const text = JSON.stringify({ ...ada, name }, null, 2).replace(
        '12,',
        '12345678901234567890,',
      );
      await put(`players/${name}`, text);
    }
    const page = await run.open({ at: '#/documents?prefix=players%2F' });
    await keyIn(page, 'players/ada').click();
    await editorOf(page).waitFor();
    await editorOf(page).press('ControlOrMeta+Home');
    for (const key of ['ArrowDown', 'ArrowDown', 'End', 'Backspace'])
      await page.keyboard.press(key);
    await page.keyboard.type('3.0,');
    await page.getByText('· Not saved').waitFor();
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await screenshot(page, 'documents');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'documents-dark');
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize({ width: 360, height: 900 });
    await screenshot(page, 'documents-narrow');
    await page.context().close();
  });
});

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../clients/chromium.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { signedRequests } from '../support/signed-requests.ts';
import {
  type ConsoleRun,
  expectAccessible,
  expectReadableWhenNarrow,
  screenshot,
  signIn,
  startConsole,
} from './console-page.ts';

interface StoredUser {
  readonly name: string;
  readonly role: string;
  readonly grants: readonly { readonly prefix: string; readonly access: string }[];
}

interface StoredKey {
  readonly accessKeyId: string;
  readonly user: string;
}

const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] };
/** 64 characters of what might do something to a page, a line, a URL or a name's own length. */
const HOSTILE = `<script>alert(1)</script>"'&\u202e#/?%2e+ \u05d0\u200b${'😀'.repeat(25)}`;

describe.skipIf(!hasChromium)('the users view', () => {
  let run: ConsoleRun;
  let rest: Rest;

  beforeAll(async () => {
    run = await startConsole();
    rest = createRest(run.server.url);
  });

  afterAll(() => run?.stop());

  async function stored(name: string): Promise<StoredUser | undefined> {
    const users = (await rest('GET', '/api/users')).json as StoredUser[];
    return users.find((user) => user.name === name);
  }

  async function keysOf(name: string): Promise<string[]> {
    const keys = (await rest('GET', '/api/access-keys')).json as StoredKey[];
    return keys.filter(({ user }) => user === name).map(({ accessKeyId }) => accessKeyId);
  }

  async function put(name: string, body: object): Promise<void> {
    const { status, text } = await rest('PUT', `/api/users/${encodeURIComponent(name)}`, body);
    expect([200, 201], text).toContain(status);
  }

  async function statusAs(name: string, password: string, path = '/data?limit=1'): Promise<number> {
    return (await createRest(run.server.url, name, password)('GET', path)).status;
  }

  async function openUser(page: Page, name: string): Promise<void> {
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { level: 2, name }).waitFor();
  }

  const focused = (page: Page): Promise<string> =>
    page.evaluate<string>(
      'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
    );

  it('adds a member with the keyboard alone, with a generated password that works', async () => {
    const page = await run.open({ at: '#/users', context: CLIPBOARD });
    const { keyboard } = page;
    await page.getByRole('link', { name: 'admin', exact: true }).waitFor();
    for (let step = 0; step < 20 && (await focused(page)) !== 'Add a user'; step += 1) {
      await keyboard.press('Tab');
    }
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Add a user' }).waitFor();
    const name = page.getByLabel('Name', { exact: true });
    await expect.poll(() => name.evaluate((field) => field.matches(':focus'))).toBe(true);
    await keyboard.type('ada');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await expect.poll(() => focused(page)).toBe('Generate');
    await keyboard.press('Enter');
    await page.getByRole('button', { name: 'Copy the password' }).waitFor();
    await keyboard.press('Tab');
    await expect.poll(() => focused(page)).toBe('Copy the password');
    await keyboard.press('Enter');
    await page.getByText('Password copied.').waitFor();
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('Prefix of grant 1');
    await keyboard.type('data/players');
    await page.getByText('data/playersb is covered, too.').waitFor();
    await keyboard.type('/');
    await page.getByText('documents whose key begins with players/').waitFor();
    expect(await page.getByText('is covered, too.').count()).toBe(0);
    await keyboard.press('Tab');
    await keyboard.type('Write');
    await keyboard.press('Shift+Tab');
    const password = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(password).toMatch(/^[\w]{24}$/);
    await page.getByText(password).waitFor();
    await keyboard.press('Enter');

    await page.getByRole('heading', { level: 2, name: 'ada' }).waitFor();
    await expect.poll(() => focused(page)).toBe('ada');
    expect(await page.getByText(password).count()).toBe(0);
    expect(page.url()).toContain('#/users?user=ada');
    expect(await stored('ada')).toEqual({
      name: 'ada',
      role: 'member',
      grants: [{ prefix: 'data/players/', access: 'write' }],
    });
    expect(await statusAs('ada', password)).toBe(200);
    await page.getByText('reads and writes documents whose key begins with players/').waitFor();
    await page.context().close();
  });

  it('says beside its field what is wrong, before anything is sent', async () => {
    await put('taken', { role: 'member', password: 'taken', grants: [] });
    const page = await run.open({ at: '#/users?add=yes' });
    const name = page.getByLabel('Name', { exact: true });
    const password = page.getByLabel('Password', { exact: true });
    const add = page.getByRole('button', { name: 'Add the user' });
    const described = async (field: typeof name): Promise<string> => {
      const id = await field.getAttribute('aria-describedby');
      return (await page.locator(`[id="${id}"]`).textContent()) ?? '';
    };
    let requests = 0;
    page.on('request', (request) => {
      if (request.method() === 'PUT') requests += 1;
    });

    await name.fill('a:b');
    await password.fill('é'.repeat(37));
    await add.click();
    await expect.poll(() => described(name)).toContain('no colon');
    await expect
      .poll(() => described(password))
      .toContain('at most 72 bytes of UTF-8: this one has 74');
    await expect.poll(() => name.evaluate((field) => field.matches(':focus'))).toBe(true);

    await name.fill('taken');
    await password.fill('é'.repeat(36));
    await page.getByRole('button', { name: 'Add a grant' }).click();
    await page.getByLabel('Prefix of grant 1').fill('x'.repeat(1_089));
    await add.click();
    await expect.poll(() => described(page.getByLabel('Prefix of grant 1'))).toContain('1089');
    await page.getByLabel('Prefix of grant 1').fill('/data/');
    await page.getByText('Leave out the slash at the beginning').waitFor();
    await page.getByRole('button', { name: 'Remove grant 1' }).click();
    await expect.poll(() => focused(page)).toBe('Add a grant');
    await add.click();
    await page.getByText('There is a user of this name already').waitFor();
    expect(requests).toBe(0);
    expect(await statusAs('taken', 'taken')).toBe(200);

    await name.fill('fits');
    await add.click();
    await page.getByRole('heading', { level: 2, name: 'fits' }).waitFor();
    expect(await statusAs('fits', 'é'.repeat(36))).toBe(200);
    await page.context().close();
  });

  it('changes grants and password of a member, who has another window open', async () => {
    await rest('POST', '/data/players/ben', { level: 1 });
    await rest('POST', '/data/rooms/1', { open: true });
    const grants = [{ prefix: 'data/players/', access: 'read' }];
    await put('ben', { role: 'member', password: 'first', grants });
    const member = await run.open({ at: '#/users', username: 'ben', password: 'first' });
    await member.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
    expect(await member.getByRole('link', { name: 'Users' }).count()).toBe(0);
    expect(await statusAs('ben', 'first', '/data/rooms/1')).toBe(403);

    const page = await run.open({ at: '#/users' });
    await openUser(page, 'ben');
    await page.getByRole('button', { name: 'Add a grant' }).click();
    await page.getByLabel('Prefix of grant 2').fill('data/rooms/');
    await page.getByLabel('Access of grant 2').selectOption('write');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The user ben was changed.').waitFor();
    expect((await stored('ben'))?.grants).toEqual([
      { prefix: 'data/players/', access: 'read' },
      { prefix: 'data/rooms/', access: 'write' },
    ]);
    // What is verified is that the password has stayed, and the member's window with it.
    expect(await statusAs('ben', 'first', '/data/rooms/1')).toBe(200);
    await member.getByRole('button', { name: 'Sign out' }).waitFor();

    await page.getByLabel('New password').fill('second');
    await page.getByRole('button', { name: 'Save' }).click();
    await member.getByText('the server does not take this user and password any more').waitFor();
    await signIn(member, 'ben', 'second');
    expect(await statusAs('ben', 'first')).toBe(401);
    await member.context().close();
    await page.context().close();
  });

  it('asks before a user and the access keys are deleted', async () => {
    await put('cleo', { role: 'member', password: 'cleo', grants: [] });
    await rest('POST', '/api/access-keys', { user: 'cleo' });
    await rest('POST', '/api/access-keys', { user: 'cleo' });
    const page = await run.open({ at: '#/users?user=cleo' });
    const remove = page.getByRole('button', { name: 'Delete the user' });
    await remove.click();
    const dialog = page.getByRole('dialog', { name: 'Delete the user?' });
    await dialog.getByText('cleo is deleted, and 2 access keys go with it').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(() => focused(page)).toBe('Delete the user');
    expect(await stored('cleo')).toBeDefined();
    await remove.click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('The user cleo was deleted.').waitFor();
    await expect.poll(() => focused(page)).toBe('Add a user');
    expect(await stored('cleo')).toBeUndefined();
    expect(await keysOf('cleo')).toEqual([]);
    await page.getByRole('link', { name: 'cleo', exact: true }).waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('says why the last admin stays', async () => {
    const page = await run.open({ at: '#/users?user=admin' });
    await page.getByRole('button', { name: 'Delete the user' }).click();
    await page.getByText('It is the user that you are signed in as.').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('alert').getByText('admin is the last admin').waitFor();
    await page.getByLabel('Role').selectOption('member');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Become a member' }).click();
    await expect.poll(() => page.getByRole('alert').getByText('last admin').count()).toBe(2);
    expect((await stored('admin'))?.role).toBe('admin');
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.context().close();
  });

  it('makes an access key that works, and shows its secret once', async () => {
    const grants = [{ prefix: 'uploads/', access: 'write' }];
    await put('dora', { role: 'member', password: 'dora', grants });
    const page = await run.open({ at: '#/users?user=dora', context: CLIPBOARD });
    await page.getByRole('button', { name: 'Make an access key' }).click();
    await page.getByRole('button', { name: 'Make the key' }).click();
    const dialog = page.getByRole('dialog', { name: 'The new access key' });
    await dialog.getByText('The secret is shown only here').waitFor();
    const copied = async (what: string): Promise<string> => {
      await dialog.getByRole('button', { name: `Copy the ${what}` }).click();
      await page.getByText(`${what === 'id' ? 'Id' : 'Secret'} copied.`).waitFor();
      return page.evaluate<string>('navigator.clipboard.readText()');
    };
    const pair = { accessKeyId: await copied('id'), secretAccessKey: await copied('secret') };
    await expectAccessible(page);
    expect(await keysOf('dora')).toEqual([pair.accessKeyId]);
    const { url } = run.server;
    const send = signedRequests({ url, host: new URL(url).host });
    expect((await send('PUT', '/uploads/by-key', { pair, body: 'bytes' })).status).toBe(200);
    expect((await send('GET', '/uploads/by-key', { pair })).text).toBe('bytes');

    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: pair.accessKeyId }).waitFor();
    await expect.poll(() => focused(page)).toBe('Make an access key');
    await expect.poll(() => page.content()).not.toContain(pair.secretAccessKey);

    await page.getByRole('link', { name: 'All access keys' }).click();
    await page.getByLabel('Filter access keys').fill('dora');
    const rows = page.getByRole('row').filter({ hasText: pair.accessKeyId });
    await rows.getByRole('link', { name: 'dora' }).waitFor();
    await expect.poll(() => page.content()).not.toContain(pair.secretAccessKey);
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await rows.getByRole('button', { name: `Delete the key ${pair.accessKeyId}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('was deleted.').waitFor();
    expect((await send('GET', '/uploads/by-key', { pair })).status).toBe(403);
    expect(await keysOf('dora')).toEqual([]);
    await page.context().close();
  });

  it('makes a key with an id and secret of one’s own, within their rules', async () => {
    const page = await run.open({ at: '#/users?show=keys' });
    await put('elsa', { role: 'member', password: 'elsa', grants: [] });
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('button', { name: 'Make an access key' }).click();
    await page.getByLabel('For the user').selectOption('elsa');
    const make = page.getByRole('button', { name: 'Make the key' });
    await page.getByLabel('Id', { exact: true }).fill('a b');
    await page.getByLabel('Secret', { exact: true }).fill('short');
    await make.click();
    await page.getByText('An id has 3 to 128').waitFor();
    await page.getByText('A secret has 8 to 128').waitFor();
    await rest('POST', '/api/access-keys', { accessKeyId: 'TAKEN' });
    await page.getByLabel('Id', { exact: true }).fill('TAKEN');
    await page.getByLabel('Secret', { exact: true }).fill('of-my-own-choice');
    await make.click();
    await page.getByText('There is an access key TAKEN already').waitFor();
    await page.getByLabel('Id', { exact: true }).fill('OWN.KEY');
    await make.click();
    await page.getByRole('dialog').getByText('of-my-own-choice').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await keysOf('elsa')).toEqual(['OWN.KEY']);
    await page.context().close();
  });

  it('shows a hostile name, and lets its user sign in, be changed and be deleted', async () => {
    expect([...HOSTILE]).toHaveLength(64);
    const page = await run.open({ at: '#/users?add=yes' });
    await page.getByLabel('Name', { exact: true }).fill(HOSTILE);
    await page.getByLabel('Password', { exact: true }).fill('hostile');
    await page.getByRole('button', { name: 'Add the user' }).click();
    const heading = page.getByRole('heading', { level: 2 });
    await heading.getByText('<script>alert(1)</script>').waitFor();
    await expect.poll(() => heading.textContent()).toContain('⟨U+202E⟩#/?%2e+ \u05d0⟨U+200B⟩');
    expect(await stored(HOSTILE)).toBeDefined();
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);

    await page.getByLabel('Role').selectOption('admin');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(async () => (await stored(HOSTILE))?.role).toBe('admin');
    const own = await run.open({ at: '#/users', username: HOSTILE, password: 'hostile' });
    await own.getByRole('row', { name: '(you)' }).waitFor();
    await expectReadableWhenNarrow(own);
    await own.context().close();

    await page.getByRole('button', { name: 'Delete the user' }).click();
    await page.getByRole('dialog').getByText('⟨U+202E⟩').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect.poll(() => stored(HOSTILE)).toBeUndefined();
    expect(await page.evaluate('document.querySelectorAll("main script").length')).toBe(0);
    await page.context().close();
  });

  it('says who has changed a user meanwhile, and asks whose change stays', async () => {
    await put('fay', { role: 'member', password: 'fay', grants: [] });
    const page = await run.open({ at: '#/users?user=fay' });
    const prefix = page.getByLabel('Prefix of grant 1');
    await page.getByRole('button', { name: 'Add a grant' }).click();
    await prefix.fill('data/mine/');
    const grants = [{ prefix: 'data/theirs/', access: 'read' }];
    await put('fay', { role: 'member', grants });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody else has changed this user meanwhile').waitFor();
    expect((await stored('fay'))?.grants).toEqual(grants);
    await page.getByRole('button', { name: 'Take what is stored' }).click();
    await expect.poll(() => prefix.inputValue()).toBe('data/theirs/');

    await prefix.fill('data/mine/');
    await put('fay', { role: 'member', grants: [] });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Save mine in its place' }).click();
    await page.getByText('The user fay was changed.').waitFor();
    expect((await stored('fay'))?.grants).toEqual([{ prefix: 'data/mine/', access: 'read' }]);

    await prefix.fill('data/late/');
    await rest('DELETE', '/api/users/fay');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This user was deleted meanwhile').waitFor();
    expect(await stored('fay')).toBeUndefined();
    await page.context().close();
  });

  it('goes on with the own new password', async () => {
    await put('gil', { role: 'admin', password: 'first', grants: [] });
    const page = await run.open({ at: '#/users?user=gil', username: 'gil', password: 'first' });
    await page.getByLabel('New password').fill('second');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The user gil was changed.').waitFor();
    await put('after', { role: 'member', password: 'after', grants: [] });
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('link', { name: 'after', exact: true }).waitFor();
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    expect(await statusAs('gil', 'second')).toBe(200);
    await page.context().close();
  });

  it('signs out who is no admin any more, with the reason', async () => {
    await put('hal', { role: 'admin', password: 'hal', grants: [] });
    const page = await run.open({ at: '#/users?user=hal', username: 'hal', password: 'hal' });
    await page.getByLabel('Role').selectOption('member');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Become a member' }).click();
    await page.getByText('You are a member now').waitFor();
    expect((await stored('hal'))?.role).toBe('member');
    await signIn(page, 'hal', 'hal');
    await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();

    await put('hal', { role: 'admin' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, 'hal', 'hal');
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    await put('hal', { role: 'member' });
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByText('You are no admin any more').waitFor();
    await page.context().close();
  });

  it('signs out who has deleted the own user', async () => {
    await put('ida', { role: 'admin', password: 'ida', grants: [] });
    const page = await run.open({ at: '#/users?user=ida', username: 'ida', password: 'ida' });
    await page.getByRole('button', { name: 'Delete the user' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('You have deleted the user that you were signed in as.').waitFor();
    expect(await stored('ida')).toBeUndefined();
    await page.context().close();
  });

  it('filters, and shows a part of very many', async () => {
    const names = Array.from({ length: 130 }, (_, at) => `many-${String(at).padStart(3, '0')}`);
    await Promise.all(
      names.map((name) => put(name, { role: 'member', password: name, grants: [] })),
    );
    const page = await run.open({ at: '#/users' });
    await page.getByLabel('Filter users').fill('MANY-');
    await page.getByText('100 of 130').waitFor();
    expect(await page.getByRole('row').count()).toBe(101);
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => page.getByRole('row').count()).toBe(131);
    await page.getByLabel('Filter users').fill('many-077');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    expect(page.url()).toContain('#/users?q=many-077');
    await openUser(page, 'many-077');
    await page.goBack();
    await page.getByText('Choose a user').waitFor();
    await page.getByLabel('Filter users').fill('nobody has this');
    await page.getByText('No user fits the filter').waitFor();
    await page.context().close();
  });

  it('looks like this', async () => {
    const all = (await rest('GET', '/api/users')).json as StoredUser[];
    for (const { name } of all.filter((user) => user.name !== 'admin')) {
      await rest('DELETE', `/api/users/${encodeURIComponent(name)}`);
    }
    const write = (prefix: string) => ({ prefix, access: 'write' });
    const read = (prefix: string) => ({ prefix, access: 'read' });
    await put('game-server', {
      role: 'member',
      password: 'x',
      grants: [write('data/players/'), write('saves-live/')],
    });
    await put('nightly-backup', { role: 'member', password: 'x', grants: [read('')] });
    await put('support', {
      role: 'member',
      password: 'x',
      grants: [read('data/players/'), read('submissions')],
    });
    await put('grace', { role: 'admin', password: 'x', grants: [] });
    await put('משתמש', { role: 'member', password: 'x', grants: [] });
    await rest('POST', '/api/access-keys', { user: 'game-server', accessKeyId: 'GAME.LIVE' });
    await rest('POST', '/api/access-keys', { user: 'support', accessKeyId: 'SUPPORT.DESK' });
    const viewport = { width: 1060, height: 860 };
    const page = await run.open({ at: '#/users?user=support', context: { viewport } });
    await page.getByRole('row', { name: 'SUPPORT.DESK' }).waitFor();
    await page.getByText('There is no slash behind the name').waitFor();
    await expectAccessible(page);
    await expectReadableWhenNarrow(page);
    await screenshot(page, 'users');
    await page.context().close();
  });
});

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

const member = (password?: string) => ({
  role: 'member',
  grants: [],
  ...(password === undefined ? {} : { password }),
});

async function isUser(name: string, password: string): Promise<boolean> {
  const { status } = await createRest(server.url, name, password)('GET', '/data?limit=1');
  expect([200, 401]).toContain(status);
  return status === 200;
}

describe('GET /api/users', () => {
  it('lists names, roles and grants, and nothing of the passwords', async () => {
    const grants = [{ prefix: 'data/a', access: 'read' }];
    await rest('PUT', '/api/users/listed', { ...member('listed password'), grants });
    const answer = await rest('GET', '/api/users');
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual([
      { name: 'admin', role: 'admin', grants: [] },
      { name: 'listed', role: 'member', grants },
    ]);
    await rest('DELETE', '/api/users/listed');
  });
});

describe('PUT /api/users/:name', () => {
  it('makes a user, 201, and replaces one, 200; neither answer has the password', async () => {
    const made = await rest('PUT', '/api/users/made', member('first secret'));
    expect(made.status).toBe(201);
    expect(made.text).not.toMatch(/secret|\$2[aby]\$/);
    expect(await isUser('made', 'first secret')).toBe(true);

    const replaced = await rest('PUT', '/api/users/made', member('second secret'));
    expect(replaced.status).toBe(200);
    expect(replaced.text).not.toMatch(/secret|\$2[aby]\$/);
    expect(await isUser('made', 'first secret')).toBe(false);
    expect(await isUser('made', 'second secret')).toBe(true);
  });

  it('keeps the password where none is given', async () => {
    await rest('PUT', '/api/users/keeps', member('the same'));
    const grants = [{ prefix: 'data/', access: 'read' }];
    expect((await rest('PUT', '/api/users/keeps', { role: 'member', grants })).status).toBe(200);
    expect(await isUser('keeps', 'the same')).toBe(true);
  });

  it('needs a password for a new user', async () => {
    expectError(await rest('PUT', '/api/users/nameless', member()), 400, /password/);
    expectError(await rest('DELETE', '/api/users/nameless'), 404);
  });

  it.each<[string, unknown]>([
    ['no role', { password: 'x', grants: [] }],
    ['an unknown role', { ...member('x'), role: 'root' }],
    ['a role that is no string', { ...member('x'), role: ['admin'] }],
    ['a password that is no string', { ...member(), password: 12345 }],
    ['grants that are no array', { ...member('x'), grants: {} }],
    ['a grant that is no object', { ...member('x'), grants: ['data/'] }],
    ['a grant without access', { ...member('x'), grants: [{ prefix: 'data/' }] }],
    ['a grant without prefix', { ...member('x'), grants: [{ access: 'read' }] }],
    ['an unknown access', { ...member('x'), grants: [{ prefix: 'data/', access: 'rw' }] }],
    ['a prefix that is no string', { ...member('x'), grants: [{ prefix: 1, access: 'read' }] }],
    ['a misspelt member', { ...member('x'), grant: [] }],
    ['null', 'null'],
    ['no JSON', '{role:member}'],
    ['an empty body', ''],
  ])('refuses %s with 400, and makes nobody', async (_name, body) => {
    expectError(await rest('PUT', '/api/users/refused', body), 400);
    expectError(await rest('DELETE', '/api/users/refused'), 404);
  });

  it('says which member is wrong', async () => {
    const grants = [
      { prefix: 'data/', access: 'read' },
      { prefix: 'data/', access: 'x' },
    ];
    expectError(
      await rest('PUT', '/api/users/x', { ...member('x'), grants }),
      400,
      /grants.1.access/,
    );
    expectError(await rest('PUT', '/api/users/x', { ...member('x'), role: 1 }), 400, /role/);
  });

  it('refuses bytes that are no UTF-8: the password would be another one', async () => {
    const text = JSON.stringify(member('pass?'));
    const body = Buffer.from(text.replace('?', '\u00ff'), 'latin1');
    expectError(await rest('PUT', '/api/users/broken', body), 400);
    expectError(await rest('DELETE', '/api/users/broken'), 404);
  });

  it('refuses what is not JSON by its type, 415, and what is too large, 413', async () => {
    const typed = (type: string) =>
      rest('PUT', '/api/users/typed', member('x'), { 'content-type': type });
    expectError(await typed('text/plain'), 415);
    expectError(await typed('application/x-www-form-urlencoded'), 415);
    expectError(await rest('PUT', '/api/users/typed', ' '.repeat(2_000_000)), 413);
    expectError(await rest('DELETE', '/api/users/typed'), 404);
  });
});

describe('a name', () => {
  it.each([
    ['letters', 'n'.repeat(64)],
    ['umlauts', 'ü'.repeat(64)],
    ['what an URL must escape', 'a/b?c#d%e+f g'],
    ['__proto__', '__proto__'],
    ['DEL', '\u007f'],
  ])('may be %s', async (_name, name) => {
    const path = `/api/users/${encodeURIComponent(name)}`;
    expect((await rest('PUT', path, member('pass:word'))).status).toBe(201);
    expect(await isUser(name, 'pass:word')).toBe(true);
    expect((await rest('GET', '/api/users')).json).toContainEqual({
      name,
      role: 'member',
      grants: [],
    });
    expect((await rest('DELETE', path)).status).toBe(204);
  });

  it.each([
    ['empty', ''],
    ['65 long', 'n'.repeat(65)],
    ['with a colon', 'a:b'],
    ['with NUL', 'a\0b'],
    ['with a line end', 'a\nb'],
    ['with U+001F', 'a\u001fb'],
  ])('may not be %s: 400', async (_name, name) => {
    const path = `/api/users/${encodeURIComponent(name)}`;
    expectError(
      await sendRequest(server.url, { method: 'PUT', path, body: JSON.stringify(member('x')) }),
      400,
    );
  });

  it('with a malformed escape is 400', async () => {
    for (const method of ['PUT', 'DELETE']) {
      const body = method === 'PUT' ? JSON.stringify(member('x')) : '';
      const path = '/api/users/%zz';
      expectError(await sendRequest(server.url, { method, path, body }), 400, /escape/);
    }
  });
});

describe('a password', () => {
  it.each([
    ['1 byte', 'x'],
    ['72 bytes', 'p'.repeat(72)],
    ['72 bytes of umlauts', 'ü'.repeat(36)],
    ['colons and spaces', ' a:b: '],
    ['emoji', '😀 pass'],
    ['U+FFFD, which stands for itself', 'a\ufffdb'],
  ])('may have %s', async (_name, password) => {
    await rest('PUT', '/api/users/pass', member(password));
    expect(await isUser('pass', password)).toBe(true);
    expect(await isUser('pass', `${password.slice(0, -1)}!`)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['73 bytes', 'p'.repeat(73)],
    ['73 bytes in 37 characters', `${'ü'.repeat(36)}p`],
    ['half a character', '\ud800'],
  ])('may not have %s: 400', async (_name, password) => {
    expectError(await rest('PUT', '/api/users/long', member(password)), 400, /72 bytes/);
  });

  it('is on disk only as a bcrypt hash of cost 10', async () => {
    const careful = await startServer({ env: { BCRYPT_COST: '10' } });
    await createRest(careful.url)('PUT', '/api/users/hashed', member('to be hashed away'));
    const stored = await contentsOf(join(careful.dataDir, 'level'));
    await careful.stop();
    expect(stored).toContain('hashed');
    expect(stored).toMatch(/\$2[aby]\$10\$/);
    expect(stored).not.toContain('to be hashed away');
    expect(stored).not.toContain(careful.password);
  });
});

async function contentsOf(folder: string): Promise<string> {
  const files = await readdir(folder);
  const contents = await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')));
  return contents.join('\n');
}

describe('DELETE /api/users/:name', () => {
  it('answers 204 without a body, once', async () => {
    await rest('PUT', '/api/users/leaving', member('x'));
    const answer = await rest('DELETE', '/api/users/leaving');
    expect([answer.status, answer.text]).toEqual([204, '']);
    expectError(await rest('DELETE', '/api/users/leaving'), 404, /leaving/);
    expect(await isUser('leaving', 'x')).toBe(false);
  });
});

describe('the last admin', () => {
  it('cannot be deleted nor made a member: 409', async () => {
    expectError(await rest('DELETE', '/api/users/admin'), 409, /last admin/);
    expectError(await rest('PUT', '/api/users/admin', { role: 'member', grants: [] }), 409);
    expect((await rest('GET', '/data?limit=1')).status).toBe(200);
  });

  it('may change the password', async () => {
    const input = { role: 'admin', grants: [], password: 'another one' };
    expect((await rest('PUT', '/api/users/admin', input)).status).toBe(200);
    const changed = createRest(server.url, 'admin', 'another one');
    const back = { ...input, password: server.password };
    expect((await changed('PUT', '/api/users/admin', back)).status).toBe(200);
  });

  it('is left over when all admins go at once', async () => {
    const admins = ['one', 'two', 'three'];
    for (const name of admins) {
      await rest('PUT', `/api/users/${name}`, { role: 'admin', grants: [], password: name });
    }
    const answers = await Promise.all([
      ...admins.map((name) => rest('DELETE', `/api/users/${name}`)),
      ...admins.map((name) => createRest(server.url, name, name)('DELETE', '/api/users/admin')),
    ]);
    for (const { status } of answers) expect([204, 401, 404, 409]).toContain(status);
    const lists: string[] = [];
    for (const [name, password] of [['admin', server.password], ...admins.map((n) => [n, n])]) {
      const users = await createRest(server.url, name, password)('GET', '/api/users');
      if (users.status === 200) lists.push(users.text);
    }
    expect(lists).not.toEqual([]);
    for (const list of lists) expect(list).toContain('"role":"admin"');
    // What follows needs the admin of this file: whoever is left makes it again.
    for (const name of ['admin', ...admins]) {
      const password = name === 'admin' ? server.password : name;
      const input = { role: 'admin', grants: [], password: server.password };
      await createRest(server.url, name, password)('PUT', '/api/users/admin', input);
    }
  });
});

describe('a member', () => {
  it('may do none of this: 403', async () => {
    await rest('PUT', '/api/users/eva', {
      ...member('x'),
      grants: [{ prefix: '', access: 'write' }],
    });
    const eva = createRest(server.url, 'eva', 'x');
    expectError(await eva('GET', '/api/users'), 403, /admin/);
    expectError(await eva('PUT', '/api/users/eva', { role: 'admin', grants: [] }), 403, /admin/);
    expectError(await eva('PUT', '/api/users/eva', 'broken'), 403);
    expectError(await eva('PUT', '/api/users/new', member('x')), 403);
    expectError(await eva('DELETE', '/api/users/eva'), 403);
    expectError(await eva('DELETE', '/api/users/nobody'), 403);
  });
});

describe('other methods', () => {
  it.each([
    ['POST', '/api/users', ['GET', 'HEAD']],
    ['DELETE', '/api/users', ['GET', 'HEAD']],
    ['POST', '/api/users/eva', ['PUT', 'DELETE']],
    ['PATCH', '/api/users/eva', ['PUT', 'DELETE']],
  ])('%s %s is 405 with Allow', async (method, path, allowed) => {
    const answer = await rest(method, path);
    expectError(answer, 405);
    const allow = answer.headers.get('allow')?.split(', ');
    for (const name of allowed) expect(allow).toContain(name);
    expect(allow).not.toContain(method);
  });
});

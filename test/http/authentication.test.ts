import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { openRaw } from '../support/raw-http.ts';
import { basic, createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let admin: Rest;
let addresses = 10;

beforeAll(async () => {
  server = await startServer();
  admin = createRest(server.url);
  await admin('POST', '/data/there', '{"a":1}');
});

afterAll(() => server.stop());

/** Failures count per address, so a test that fails on purpose comes from one of its own. */
function ownAddress(): string {
  addresses += 1;
  return `127.0.0.${addresses}`;
}

function get(header: string | undefined, localAddress: string): Promise<RestAnswer> {
  return sendRequest(server.url, {
    path: '/data/there',
    credentials: null,
    headers: header === undefined ? {} : { authorization: header },
    localAddress,
  });
}

function login(username: string, password: string, localAddress: string): Promise<RestAnswer> {
  return get(basic(username, password), localAddress);
}

function makeMember(name: string, password: string, role = 'member'): Promise<RestAnswer> {
  const grants = [{ prefix: 'data/', access: 'read' }];
  return admin('PUT', `/api/users/${encodeURIComponent(name)}`, { password, role, grants });
}

function expectUnauthenticated(answer: RestAnswer): void {
  expectError(answer, 401);
  expect(answer.headers.get('www-authenticate')).toBe('Basic realm="keystow", charset="UTF-8"');
}

describe('no or wrong credentials', () => {
  const token = (text: string) => Buffer.from(text).toString('base64');

  it.each<[string, string | undefined]>([
    ['no header', undefined],
    ['an empty header', ''],
    ['no token', 'Basic'],
    ['an empty token', 'Basic '],
    ['another scheme', 'Bearer abc'],
    ['Digest', 'Digest username="admin"'],
    ['no scheme', token('admin:correct horse')],
    ['no base64', 'Basic !!!'],
    ['no colon', `Basic ${token('admin')}`],
    ['no UTF-8', `Basic ${Buffer.from([0xff, 0x3a, 0x78]).toString('base64')}`],
    ['nothing but a colon', basic('', '')],
    ['an empty name', basic('', 'correct horse')],
    ['an empty password', basic('admin', '')],
    ['a wrong password', basic('admin', 'wrong horse')],
    ['a password with more behind it', basic('admin', 'correct horse\n')],
    ['another case', basic('Admin', 'correct horse')],
    ['an unknown user', basic('nobody', 'correct horse')],
    ['a name of 65 characters', basic('n'.repeat(65), 'x')],
    ['a password of 73 bytes', basic('admin', 'p'.repeat(73))],
    ['two tokens', `${basic('admin', 'correct horse')} x`],
    ['credentials in a list', `${basic('admin', 'correct horse')}, Basic x`],
  ])('are 401 with the challenge: %s', async (_name, header) => {
    expectUnauthenticated(await get(header, ownAddress()));
  });

  it('say the same for an unknown user and a wrong password', async () => {
    const address = ownAddress();
    const unknown = await login('nobody', 'x', address);
    const wrong = await login('admin', 'x', address);
    expect(unknown.text).toBe(wrong.text);
  });

  it.each([
    ['GET', '/data'],
    ['HEAD', '/data/there'],
    ['GET', '/data/absent'],
    ['POST', '/data/new'],
    ['PUT', '/data/there'],
    ['PATCH', '/data/there'],
    ['DELETE', '/data/there'],
    ['GET', '/data/%zz'],
    ['GET', '/data?limit=0'],
    ['GET', '/api/users'],
    ['PUT', '/api/users/x'],
    ['DELETE', '/api/users/admin'],
  ])('stop %s %s before anything else is told', async (method, path) => {
    const answer = await sendRequest(server.url, { method, path, credentials: null });
    if (method === 'HEAD') expect(answer.status).toBe(401);
    else expectUnauthenticated(answer);
    expect((await admin('GET', '/data')).json).toEqual(['there']);
  });
});

describe('right credentials', () => {
  it('are let in however Basic may be written (RFC 7617, RFC 9110 11.4)', async () => {
    const address = ownAddress();
    const token = Buffer.from('admin:correct horse').toString('base64');
    const headers = [`Basic ${token}`, `basic ${token}`, `BASIC ${token}`, `Basic   ${token}`];
    for (const header of headers) expect((await get(header, address)).status, header).toBe(200);
  });

  it.each([
    ['colons', 'pass:word:'],
    ['UTF-8', 'pässwörd 😀'],
    ['spaces around', ' x '],
    ['72 bytes', 'p'.repeat(72)],
    ['72 bytes of umlauts', 'ü'.repeat(36)],
  ])('may have %s in the password', async (name, password) => {
    const address = ownAddress();
    await makeMember(`user ${name} ü`, password);
    expect((await login(`user ${name} ü`, password, address)).status).toBe(200);
    expectUnauthenticated(await login(`user ${name} ü`, `${password}!`, address));
  });

  it('are not those of another user with the same password', async () => {
    await makeMember('twin-1', 'same');
    await makeMember('twin-2', 'other');
    const address = ownAddress();
    expect((await login('twin-1', 'same', address)).status).toBe(200);
    expectUnauthenticated(await login('twin-2', 'same', address));
  });
});

describe('credentials that were just verified', () => {
  it('are out at once when the password changes', async () => {
    await makeMember('changing', 'old');
    const address = ownAddress();
    for (let times = 0; times < 3; times += 1) {
      expect((await login('changing', 'old', address)).status).toBe(200);
    }
    await makeMember('changing', 'new');
    expectUnauthenticated(await login('changing', 'old', address));
    expect((await login('changing', 'new', address)).status).toBe(200);
  });

  it('are out at once when the user is deleted, and stay out when the name is used again', async () => {
    await makeMember('leaving', 'old');
    const address = ownAddress();
    expect((await login('leaving', 'old', address)).status).toBe(200);
    await admin('DELETE', '/api/users/leaving');
    expectUnauthenticated(await login('leaving', 'old', address));
    await makeMember('leaving', 'new');
    expectUnauthenticated(await login('leaving', 'old', address));
    expect((await login('leaving', 'new', address)).status).toBe(200);
  });

  it('do not finish a write that was on its way when the user was deleted', async () => {
    await makeMember('hasty', 'p', 'admin');
    const connection = await openRaw(server.url);
    connection.send(
      'POST /data/hasty HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n' +
        `Authorization: ${basic('hasty', 'p')}\r\nExpect: 100-continue\r\n\r\n`,
    );
    // Authenticated by now: the body is asked for.
    expect((await connection.answer()).status).toBe(100);
    expect((await admin('DELETE', '/api/users/hasty')).status).toBe(204);
    connection.send('{}');
    expectUnauthenticated(await connection.answer());
    connection.destroy();
    expectError(await admin('GET', '/data/hasty'), 404);
  });
});

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
  server = await startServer({ env: { BCRYPT_COST: '10' } });
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

  it('are out for requests that race with the change: none that begins after it gets through', async () => {
    await makeMember('racing', 'old');
    const racing = createRest(server.url, 'racing', 'old');
    await racing('GET', '/data/there');
    let isChanged = false;
    const late: number[] = [];
    const reader = async (): Promise<void> => {
      for (let times = 0; times < 100; times += 1) {
        const wasChanged = isChanged;
        const { status } = await racing('GET', '/data/there');
        if (wasChanged) late.push(status);
        if (late.length > 3) return;
      }
    };
    const change = makeMember('racing', 'new').then(() => {
      isChanged = true;
    });
    await Promise.all([change, reader(), reader()]);
    await change;
    late.push((await racing('GET', '/data/there')).status);
    for (const status of late) expect([401, 429]).toContain(status);
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

  it('are not hashed again: fifty requests cost less than fifty times bcrypt', async () => {
    await makeMember('cached', 'p');
    const cached = createRest(server.url, 'cached', 'p');
    const first = await timed(() => cached('GET', '/data/there'));
    const others = await timed(async () => {
      for (let times = 0; times < 50; times += 1) await cached('GET', '/data/there');
    });
    expect(others).toBeLessThan(first * 25);
  });
});

describe('the time of a refusal', () => {
  it('is the same whether or not the user exists', async () => {
    await makeMember('timed', 'p');
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const address = ownAddress();
      known.push(await timed(() => login('timed', `wrong ${round}`, address)));
      unknown.push(await timed(() => login('nobody', `wrong ${round}`, address)));
    }
    const [one = 0, other = 0] = [median(known), median(unknown)];
    // Only a sanity check: without bcrypt it would be a factor of fifty.
    expect(Math.max(one, other) / Math.min(one, other)).toBeLessThan(4);
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

describe('many first requests at once', () => {
  it('with one password all get through', async () => {
    await makeMember('crowd', 'p');
    const crowd = createRest(server.url, 'crowd', 'p');
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => crowd('GET', '/data/there')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

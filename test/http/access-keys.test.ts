import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { ADMIN_KEY, type S3Server, startS3Server } from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';

/** `/api/access-keys`: who makes, sees and deletes which. */

interface Listed {
  readonly accessKeyId: string;
  readonly user: string;
  readonly createdAt: string;
}

const KEYS = '/api/access-keys';

let server: S3Server;
let admin: Rest;
let maria: Rest;
let otto: Rest;

beforeAll(async () => {
  server = await startS3Server();
  ({ admin } = server);
  for (const name of ['maria', 'otto']) {
    await admin('PUT', `/api/users/${name}`, { password: 'p', role: 'member', grants: [] });
  }
  maria = createRest(server.url, 'maria', 'p');
  otto = createRest(server.url, 'otto', 'p');
});

afterAll(() => server.stop());

async function make(rest: Rest, body: unknown = {}): Promise<KeyPair & { user: string }> {
  const { status, json, text } = await rest('POST', KEYS, body);
  expect(status, text).toBe(201);
  return json as KeyPair & { user: string };
}

async function list(rest: Rest): Promise<Listed[]> {
  const { status, json } = await rest('GET', KEYS);
  expect(status).toBe(200);
  return json as Listed[];
}

/** Whether the pair signs: a wrong one is told apart from one that may do little. */
async function signs(pair: KeyPair): Promise<boolean> {
  const answer = await server.uploadSigned(
    { pair, bucket: 'uploads', fields: { key: 'k' } },
    { file: 'x' },
  );
  return answer.status === 204 || answer.xml['Code'] === 'AccessDenied';
}

describe('making one', () => {
  it('answers 201 with the pair, which signs; the secret is shown only here', async () => {
    const answer = await maria('POST', KEYS, {});
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      accessKeyId: expect.stringMatching(/^[A-Z0-9]{16,128}$/),
      secretAccessKey: expect.stringMatching(/^[!-~]{40,}$/),
      user: 'maria',
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const pair = answer.json as KeyPair;
    expect(await signs(pair)).toBe(true);
    for (const rest of [admin, maria]) {
      const listed = await rest('GET', KEYS);
      expect(listed.text).toContain(pair.accessKeyId);
      expect(listed.text).not.toContain('ecret');
      expect(listed.text).not.toContain(pair.secretAccessKey);
    }
  });

  it('takes an id and a secret that are given', async () => {
    const given = { accessKeyId: 'AMAZONAPIKEY1234', secretAccessKey: 'any-secret:/+=of-mine' };
    expect(await make(maria, given)).toEqual({ ...given, user: 'maria' });
    expect(await signs(given)).toBe(true);
    expectError(await maria('POST', KEYS, given), 409);
    expectError(await otto('POST', KEYS, { ...given, secretAccessKey: 'another-secret' }), 409);
    expect(await signs(given)).toBe(true);
    expect(await signs({ ...given, secretAccessKey: 'another-secret' })).toBe(false);
  });

  it('for others is for admins', async () => {
    expect((await make(admin, { user: 'maria' })).user).toBe('maria');
    expect((await make(maria, { user: 'maria' })).user).toBe('maria');
    expectError(await maria('POST', KEYS, { user: 'otto' }), 403);
    expectError(await maria('POST', KEYS, { user: 'admin' }), 403);
    expectError(await maria('POST', KEYS, { user: 'nobody' }), 403);
    expectError(await admin('POST', KEYS, { user: 'nobody' }), 404);
    expect((await list(otto)).length).toBe(0);
  });

  it.each<[string, unknown]>([
    ['no object', []],
    ['a string', '"x"'],
    ['another member', { name: 'x' }],
    ['a number for the user', { user: 1 }],
    ['a short id', { accessKeyId: 'ab' }],
    ['an id with a slash', { accessKeyId: 'abc/def' }],
    ['an id with a colon', { accessKeyId: 'abc:def' }],
    ['a long id', { accessKeyId: 'a'.repeat(129) }],
    ['a short secret', { secretAccessKey: 'short' }],
    ['a secret with a space', { secretAccessKey: 'secret secret' }],
    ['a secret with umlauts', { secretAccessKey: 'sécrét-sécrét' }],
    ['no JSON', '{'],
  ])('is refused with %s', async (_name, body) => {
    const before = await list(admin);
    expectError(await admin('POST', KEYS, body), 400);
    expect(await list(admin)).toEqual(before);
  });

  it('many at once: one id is one key', async () => {
    const bodies = Array.from({ length: 8 }, (_, at) => ({
      accessKeyId: 'AKIDATONCE',
      secretAccessKey: `secret-number-${at}`,
    }));
    const answers = await Promise.all(bodies.map((body) => maria('POST', KEYS, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
    const made = answers.find(({ status }) => status === 201);
    expect(await signs(made?.json as KeyPair)).toBe(true);
    expect(
      (await list(maria)).filter(({ accessKeyId }) => accessKeyId === 'AKIDATONCE'),
    ).toHaveLength(1);
  });

  it('many at once: each is in the list of its user', async () => {
    await admin('PUT', '/api/users/many', { password: 'p', role: 'member', grants: [] });
    const pairs = await Promise.all(
      Array.from({ length: 10 }, () => make(admin, { user: 'many' })),
    );
    const ids = (await list(createRest(server.url, 'many', 'p'))).map(
      ({ accessKeyId }) => accessKeyId,
    );
    expect(ids.sort()).toEqual(pairs.map(({ accessKeyId }) => accessKeyId).sort());
  });
});

describe('the list', () => {
  it('has only a member’s own, and for an admin all', async () => {
    const pair = await make(otto);
    const own = await list(otto);
    expect(own).toContainEqual({
      accessKeyId: pair.accessKeyId,
      user: 'otto',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(new Set(own.map(({ user }) => user))).toEqual(new Set(['otto']));
    const all = await list(admin);
    for (const user of ['admin', 'maria', 'otto']) {
      expect(all.map((listed) => listed.user)).toContain(user);
    }
    expect(all.map(({ accessKeyId }) => accessKeyId)).toContain(ADMIN_KEY.accessKeyId);
  });
});

describe('deleting one', () => {
  it('ends it at once, and only it', async () => {
    const [one, other] = [await make(maria), await make(maria)];
    expect((await maria('DELETE', `${KEYS}/${one.accessKeyId}`)).status).toBe(204);
    expect(await signs(one)).toBe(false);
    expect(await signs(other)).toBe(true);
    const ids = (await list(maria)).map(({ accessKeyId }) => accessKeyId);
    expect(ids).toContain(other.accessKeyId);
    expect(ids).not.toContain(one.accessKeyId);
    expectError(await maria('DELETE', `${KEYS}/${one.accessKeyId}`), 404);
  });

  it('of another is for admins', async () => {
    const pair = await make(otto);
    expectError(await maria('DELETE', `${KEYS}/${pair.accessKeyId}`), 403);
    expectError(await maria('DELETE', `${KEYS}/${ADMIN_KEY.accessKeyId}`), 403);
    expect(await signs(pair)).toBe(true);
    expect((await admin('DELETE', `${KEYS}/${pair.accessKeyId}`)).status).toBe(204);
    expect(await signs(pair)).toBe(false);
  });

  it.each(['absent', '', '%2F', '%00', '..%2fusers%2fadmin', '%zz', '%C3%BC'])(
    '%j is not there',
    async (id) => {
      const answer = await sendRequest(server.url, { method: 'DELETE', path: `${KEYS}/${id}` });
      expect([400, 404]).toContain(answer.status);
      expectError(answer, answer.status);
    },
  );

  it('comes with deleting the user', async () => {
    await admin('PUT', '/api/users/leaving', { password: 'p', role: 'member', grants: [] });
    const pairs = [await make(admin, { user: 'leaving' }), await make(admin, { user: 'leaving' })];
    expect((await admin('DELETE', '/api/users/leaving')).status).toBe(204);
    expect((await list(admin)).filter(({ user }) => user === 'leaving')).toEqual([]);
    await admin('PUT', '/api/users/leaving', { password: 'p', role: 'admin', grants: [] });
    for (const pair of pairs) expect(await signs(pair)).toBe(false);
    expect(await list(createRest(server.url, 'leaving', 'p'))).toHaveLength(
      (await list(admin)).length,
    );
    // The id is free again.
    expect((await make(admin, pairs[0] && { accessKeyId: pairs[0].accessKeyId })).user).toBe(
      'admin',
    );
    await admin('DELETE', '/api/users/leaving');
  });

  it('comes with deleting the user, while keys are made for it', async () => {
    for (let round = 0; round < 10; round += 1) {
      await admin('PUT', '/api/users/racing', { password: 'p', role: 'member', grants: [] });
      const making = Array.from({ length: 4 }, () => admin('POST', KEYS, { user: 'racing' }));
      const deleting = admin('DELETE', '/api/users/racing');
      const made = await Promise.all(making);
      expect((await deleting).status).toBe(204);
      for (const { status } of made) expect([201, 404]).toContain(status);
      expect((await list(admin)).filter(({ user }) => user === 'racing')).toEqual([]);
    }
  });
});

describe('the routes', () => {
  it('need credentials, and are nobody’s from foreign pages', async () => {
    const send = (
      method: string,
      headers: Record<string, string>,
      isKnown: boolean,
    ): Promise<RestAnswer> =>
      sendRequest(server.url, {
        method,
        path: KEYS,
        headers: { 'content-type': 'application/json', ...headers },
        ...(isKnown ? {} : { credentials: null }),
        ...(method === 'POST' ? { body: '{}' } : {}),
      });
    const before = await list(admin);
    for (const method of ['GET', 'POST']) {
      expectError(await send(method, {}, false), 401);
      expectError(await send(method, { origin: 'https://evil.example' }, true), 403);
      expectError(await send(method, { 'sec-fetch-site': 'cross-site' }, true), 403);
    }
    expect(await list(admin)).toEqual(before);
  });

  it.each([
    ['PUT', KEYS, 405],
    ['GET', `${KEYS}/AKIDADMIN00000000001`, 405],
    ['POST', `${KEYS}/AKIDADMIN00000000001`, 405],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await admin(method, path);
    expectError(answer, status);
    expect(answer.headers.get('allow')).toMatch(/\w/);
  });
});

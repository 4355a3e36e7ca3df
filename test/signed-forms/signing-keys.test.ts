import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { expectS3Error } from '../support/s3-client.ts';
import { ADMIN_KEY, type S3Server, startS3Server } from '../support/s3-server.ts';
import { CREATE, createForm, type Form, SUBMIT, sendForm, submitOne } from './forms.ts';

/** Who may have what signed, and which access key signs it. */

let server: S3Server;
let admin: Rest;

beforeAll(async () => {
  server = await startS3Server();
  ({ admin } = server);
  await server.makeBucket('shared');
});

afterAll(() => server.stop());

type Grants = readonly { readonly prefix: string; readonly access: 'read' | 'write' }[];

const EVERYTHING: Grants = [
  { prefix: 'uploads/', access: 'write' },
  { prefix: 'submissions/', access: 'write' },
];

async function member(name: string, grants = EVERYTHING): Promise<Rest> {
  const user = { password: 'p', role: 'member', grants };
  expect((await admin('PUT', `/api/users/${name}`, user)).status).toBeLessThan(300);
  return createRest(server.url, name, 'p');
}

const sign = (rest: Rest, data?: unknown): Promise<RestAnswer> => rest('POST', CREATE, { data });

async function keysOf(rest: Rest): Promise<string[]> {
  const listed = (await rest('GET', '/api/access-keys')).json as { accessKeyId: string }[];
  return listed.map(({ accessKeyId }) => accessKeyId);
}

async function makeKey(rest: Rest, accessKeyId: string): Promise<void> {
  expect((await rest('POST', '/api/access-keys', { accessKeyId })).status).toBe(201);
}

function signer({ fields }: Form): string | undefined {
  return fields['x-amz-credential']?.split('/')[0];
}

describe('credentials', () => {
  it.each([CREATE, SUBMIT])('are needed for %s', async (path) => {
    const body = { fileName: 'a' };
    const none = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Basic realm="keystow", charset="UTF-8"');
    expect(await none.json()).toEqual({ error: expect.any(String) });
    expectError(await createRest(server.url, 'admin', 'wrong')('POST', path, body), 401);
    expectError(await createRest(server.url, 'nobody', 'p')('POST', path, body), 401);
    expectError(await admin('POST', path, body, { origin: 'https://evil.example' }), 403);
    expectError(await admin('POST', path, body, { 'sec-fetch-site': 'cross-site' }), 403);
  });
});

describe('a write grant', () => {
  it('is needed for what is signed', async () => {
    const maria = await member('maria', [
      { prefix: 'uploads/maria/', access: 'write' },
      { prefix: 'uploads/news/', access: 'read' },
      { prefix: 'data/', access: 'write' },
    ]);
    expect((await sign(maria, { key: 'maria/a' })).status).toBe(202);
    expect((await sign(maria, { prefix: 'maria' })).status).toBe(202);
    expect((await sign(maria, { key: 'maria/$' + '{filename}' })).status).toBe(202);
    for (const data of [
      undefined,
      { key: 'news/a' },
      { key: 'mari' },
      { key: '$' + '{filename}' },
      { prefix: 'mariana' },
      { bucket: 'shared', key: 'maria/a' },
      { bucket: 'submissions', key: 'maria/a' },
    ]) {
      expectError(await sign(maria, data), 403, /\.$/);
    }
    expectError(await maria('POST', SUBMIT, { fileName: 'a' }), 403);
    // Her grant of documents is no bucket of that name.
    expectError(await sign(maria, { bucket: 'data', key: 'a' }), 404);
  });

  it('for all of the files that are submitted', async () => {
    const partly = await member('partly', [{ prefix: 'submissions/other/', access: 'write' }]);
    expectError(await partly('POST', SUBMIT, [{ fileName: 'a' }, { fileName: 'b' }]), 403);
    const own = await member('own', [{ prefix: 'submissions/own/', access: 'write' }]);
    expect((await own('POST', SUBMIT, { fileName: 'a' })).status).toBe(200);
  });

  it('that is missing makes no access key', async () => {
    const otto = await member('otto', []);
    expectError(await sign(otto), 403);
    expectError(await otto('POST', SUBMIT, { fileName: 'a' }), 403);
    expect(await keysOf(otto)).toEqual([]);
  });

  it('that was taken back stops the form at its upload', async () => {
    const form = await createForm(await member('former'));
    expect((await sendForm(server, form)).status).toBe(201);
    await member('former', []);
    expectS3Error(await sendForm(server, form), 403, 'AccessDenied');
  });
});

describe('a bucket that is not there', () => {
  it('is a 404, once the grants allow it', async () => {
    expectError(await sign(admin, { bucket: 'nowhere' }), 404, /nowhere/);
    expectError(await sign(admin, { bucket: 'No Bucket/At all' }), 404);
    const finder = await member('finder');
    expectError(await sign(finder, { bucket: 'nowhere' }), 403);
  });

  it('is one that was removed', async () => {
    await server.makeBucket('brief');
    const form = await createForm(admin, { bucket: 'brief' });
    expect((await admin('DELETE', '/api/buckets/brief')).status).toBe(204);
    expectError(await sign(admin, { bucket: 'brief' }), 404);
    expectS3Error(await sendForm(server, form), 404, 'NoSuchBucket');
    expect((await admin('DELETE', '/api/buckets/submissions')).status).toBe(204);
    expectError(await admin('POST', SUBMIT, { fileName: 'a' }), 404);
    await server.makeBucket('submissions');
  });
});

describe('the access key', () => {
  it('is made for who has none, and used again', async () => {
    const anna = await member('anna');
    const first = await createForm(anna);
    expect(await keysOf(anna)).toEqual([signer(first)]);
    expect((await sendForm(server, first)).status).toBe(201);
    expect(signer(await createForm(anna))).toBe(signer(first));
    await submitOne(anna);
    expect(await keysOf(anna)).toEqual([signer(first)]);
    // Its secret is shown nowhere.
    expect(JSON.stringify(first)).not.toContain('secret');
  });

  it('is made once for requests at the same time', async () => {
    const rush = await member('rush');
    const forms = await Promise.all(Array.from({ length: 8 }, () => createForm(rush)));
    expect(await keysOf(rush)).toHaveLength(1);
    expect(new Set(forms.map(signer)).size).toBe(1);
    for (const form of forms) expect((await sendForm(server, form)).status).toBe(201);
  });

  it('is made for a submission too', async () => {
    const sub = await member('sub');
    expect((await sendForm(server, await submitOne(sub))).status).toBe(204);
    expect(await keysOf(sub)).toHaveLength(1);
  });

  it('is the oldest of several, whatever their ids', async () => {
    const olga = await member('olga');
    for (const id of ['ZZZOLDEST', 'AAAMIDDLE', 'MMMNEWEST']) await makeKey(olga, id);
    expect(signer(await createForm(olga))).toBe('ZZZOLDEST');
    const form = await createForm(olga, { signatureVersion: 2 });
    expect(form.fields['AWSAccessKeyId']).toBe('ZZZOLDEST');
    await olga('DELETE', '/api/access-keys/ZZZOLDEST');
    expect(signer(await createForm(olga))).toBe('AAAMIDDLE');
    await makeKey(olga, 'ZZZOLDEST');
    expect(signer(await createForm(olga))).toBe('AAAMIDDLE');
  });

  it('is the caller’s own: an admin signs with no key of others', async () => {
    expect(signer(await createForm(admin))).toBe(ADMIN_KEY.accessKeyId);
  });

  it.each(['v2', 'v4'])('once removed takes its forms with it (%s)', async (signatureVersion) => {
    const leaver = await member('leaver');
    const form = await createForm(leaver, { signatureVersion });
    const [id = ''] = await keysOf(leaver);
    expect((await leaver('DELETE', `/api/access-keys/${id}`)).status).toBe(204);
    const gone = { AWSAccessKeyId: id };
    expectS3Error(await sendForm(server, form), 403, 'InvalidAccessKeyId', gone);
    const next = await createForm(leaver, { signatureVersion });
    expect(await keysOf(leaver)).not.toContain(id);
    expect((await sendForm(server, next)).status).toBe(201);
    await admin('DELETE', '/api/users/leaver');
    expectS3Error(await sendForm(server, next), 403, 'InvalidAccessKeyId');
  });
});

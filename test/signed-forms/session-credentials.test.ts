import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import {
  FORM_TYPE,
  formBody,
  md5Hex,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { headersV2, headersV4, presignV2, presignV4 } from '../support/sign-request.ts';
import { arrived, type Form, sendAsPage, sendForm, submitOne } from './forms.ts';
import { openSessionKey, type SessionKey } from './session-key.ts';

/**
 * The credentials of a submitted file: good for its one upload, with their token, for 15 minutes, and as
 * long as the access key that they come from. The tests know their secret; clients do not.
 */

const MINUTES_15 = 900_000;

let server: S3Server;
let now = Date.now();
let form: Form;
let key: string;
let pair: SessionKey;

beforeAll(async () => {
  server = await startS3Server({ SUBMIT_MAX_BYTES: '500000' }, { now: () => now });
  await server.makeBucket('elsewhere');
  form = await submitOne(server.admin);
  key = form.fields['key'] ?? '';
  pair = await openSessionKey(server.dataDir, form);
});

afterAll(() => server.stop());

const GRANTS = [{ prefix: 'submissions/', access: 'write' }];

async function member(name: string, grants: unknown = GRANTS): Promise<Rest> {
  const user = { password: 'p', role: 'member', grants };
  expect((await server.admin('PUT', `/api/users/${name}`, user)).status).toBeLessThan(300);
  return createRest(server.url, name, 'p');
}

describe('they are good for their upload', () => {
  it('and their secret signs it, too', async () => {
    const answer = await server.uploadSigned(
      {
        pair,
        securityToken: pair.securityToken,
        version: 'v4',
        bucket: 'submissions',
        fields: { key },
      },
      { file: 'x' },
    );
    expect(answer.status, answer.text).toBe(204);
    expect(await arrived(server.admin)).toMatchObject([{ key }]);
    expect((await server.admin('DELETE', `/submissions/${key}`)).status).toBe(204);
  });

  it('up to SUBMIT_MAX_BYTES', async () => {
    const brief = await submitOne(server.admin);
    const send = (size: number) => sendForm(server, brief, {}, { file: Buffer.alloc(size) });
    expectS3Error(await send(500_001), 400, 'EntityTooLarge', { MaxSizeAllowed: '500000' });
    await server.expectAbsent('submissions', brief.fields['key'] ?? '');
    expect((await send(500_000)).status).toBe(204);
    await server.admin('DELETE', `/submissions/${brief.fields['key']}`);
  });

  it.each([
    ['another key', 'submissions', () => 'admin/another'],
    ['a key below it', 'submissions', () => `${key}/more`],
    ['a key above it', 'submissions', () => key.slice(0, -1)],
    ['another bucket', 'elsewhere', () => key],
  ])('not for %s', async (_name, bucket, keyOf) => {
    for (const version of ['v2', 'v4'] as const) {
      const { securityToken } = pair;
      const fields = { key: keyOf() };
      const answer = await server.uploadSigned(
        { pair, securityToken, version, bucket, fields },
        { file: 'x' },
      );
      expectS3Error(answer, 403, 'AccessDenied');
      await server.expectAbsent(bucket, fields.key);
    }
  });

  it('not for requests, signed in the header or in the query', async () => {
    expect((await sendForm(server, form)).status).toBe(204);
    const { host } = server;
    const token = { 'x-amz-security-token': pair.securityToken };
    const query = new URLSearchParams({ 'X-Amz-Security-Token': pair.securityToken });
    const signedToken = `x-amz-security-token:${pair.securityToken}\n`;
    for (const path of [pathOf('submissions', key), '/submissions', '/', '/elsewhere', '/made']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
        const time = now;
        const request = { pair, method, path, host, time };
        const v2 = `${path}?${new URLSearchParams({ 'x-amz-security-token': pair.securityToken })}`;
        for (const sent of [
          { path, headers: headersV4({ ...request, headers: token }) },
          { path: presignV4({ ...request, path: `${path}?${query}` }), headers: { host } },
          { path, headers: headersV2({ ...request, headers: token }) },
          { path: presignV2({ ...request, path: v2 }, `${signedToken}${path}`), headers: { host } },
        ]) {
          const answer = await sendS3(server.url, { method, ...sent });
          const what = `${method} ${sent.path.slice(0, 40)} ${answer.text}`;
          expect([400, 403, 405, 501], what).toContain(answer.status);
          if (method === 'GET') expectS3Error(answer, 403, 'AccessDenied');
        }
      }
    }
    expect((await server.read('submissions', key)).text).toBe('x');
    const buckets = (await server.admin('GET', '/api/buckets')).json as { name: string }[];
    expect(buckets.map(({ name }) => name)).toEqual(['elsewhere', 'submissions', 'uploads']);
  });

  it('not with the form’s own fields in a query', async () => {
    const { Policy: _policy, key: _key, bucket: _bucket, ...fields } = form.fields;
    const query = new URLSearchParams({
      ...fields,
      'X-Amz-Expires': '900',
      'X-Amz-SignedHeaders': 'host',
    });
    const path = `${pathOf('submissions', key)}?${query}`;
    expectS3Error(await sendS3(server.url, { path }), 403, 'SignatureDoesNotMatch');
  });
});

describe('their token', () => {
  const token = (): string => form.fields['X-Amz-Security-Token'] ?? '';

  it.each([
    ['absent', undefined],
    ['empty', ''],
  ])('has to be there: %s', async (_name, absent) => {
    const answer = await sendForm(server, form, { 'X-Amz-Security-Token': absent });
    expectS3Error(answer, 403, 'InvalidAccessKeyId');
  });

  it('is not that of other credentials', async () => {
    const other = await submitOne(server.admin);
    const taken = { 'X-Amz-Security-Token': other.fields['X-Amz-Security-Token'] };
    expectS3Error(await sendForm(server, form, taken), 400, 'InvalidToken');
    const mixed = { ...taken, 'X-Amz-Credential': other.fields['X-Amz-Credential'] };
    expectS3Error(await sendForm(server, form, mixed), 403, 'SignatureDoesNotMatch');
  });

  it('does not go with an access key', async () => {
    const answer = await server.uploadSigned(
      { securityToken: token(), version: 'v4', bucket: 'submissions', fields: { key } },
      { file: 'x' },
    );
    expectS3Error(answer, 400, 'InvalidToken');
  });

  it('is refused with any of its bits changed, and in any other spelling', async () => {
    const bytes = Buffer.from(token(), 'base64');
    const step = Math.ceil(bytes.length / 24);
    const changed: string[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << (at % 8)), at);
      changed.push(copy.toString('base64'));
    }
    changed.push(
      bytes.subarray(0, -1).toString('base64'),
      bytes.subarray(0, 20).toString('base64'),
      `${token()}=`,
      `${token()} `,
      `${token()}\n`,
      `${token()}AAAA`,
      token().replace(/=*$/, '!'),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      'x',
    );
    for (const text of changed) {
      if (text === token()) continue;
      const answer = await sendForm(server, form, { 'X-Amz-Security-Token': text });
      expectS3Error(answer, 400, 'InvalidToken');
    }
    // Nothing was wrong with the form itself.
    expect((await sendForm(server, form)).status).toBe(204);
  });

  it('is not that of another server', async () => {
    const other = await startS3Server({}, { now: () => now });
    const foreign = await submitOne(other.admin);
    await other.stop();
    expectS3Error(await sendForm(server, foreign), 400, 'InvalidToken');
  });
});

describe('15 minutes', () => {
  it('to the second, and no longer', async () => {
    const start = Math.ceil(now / 1_000) * 1_000;
    now = start;
    const brief = await submitOne(server.admin);
    now = start + MINUTES_15 - 1;
    expect((await sendForm(server, brief)).status).toBe(204);
    for (const late of [0, 1, 1_000, 86_400_000]) {
      now = start + MINUTES_15 + late;
      expectS3Error(await sendForm(server, brief), 400, 'ExpiredToken');
    }
    now = start;
  });

  it('also for a policy that says more', async () => {
    const start = now;
    now = start + MINUTES_15 + 1_000;
    const answer = await server.uploadSigned(
      { pair, securityToken: pair.securityToken, bucket: 'submissions', fields: { key } },
      { file: 'x' },
    );
    expectS3Error(answer, 400, 'ExpiredToken');
    now = start;
  });
});

it('a restart in between changes nothing, even of a server that sets its access key', async () => {
  const env = {
    ACCESS_KEY_ID: 'AKIDRESTARTED',
    SECRET_ACCESS_KEY: 'secret-of-the-restarted',
    LOG_LEVEL: 'silent',
  };
  const before = await startServer({ env });
  const theirs = await submitOne(createRest(before.url));
  await before.stop({ keep: true });
  const after = await startServer({ env, folder: before.folder });
  expect((await sendAsPage({ ...theirs, url: `${after.url}/` }, 'x')).status).toBe(204);
  await after.stop();
});

describe('they are gone', () => {
  const gone: [string, (name: string, keyId: string) => Promise<unknown>][] = [
    ['the access key was removed', (_name, id) => remove(`/api/access-keys/${id}`)],
    ['the user was deleted', (name) => remove(`/api/users/${name}`)],
    ['the user lost the grant', (name) => member(name, [])],
    [
      'the access key was made again',
      async (name, id) => {
        await remove(`/api/access-keys/${id}`);
        const again = { user: name, accessKeyId: id };
        expect((await server.admin('POST', '/api/access-keys', again)).status).toBe(201);
      },
    ],
    [
      'the access key was made again by another',
      async (_name, id) => {
        await remove(`/api/access-keys/${id}`);
        await server.admin('POST', '/api/access-keys', { accessKeyId: id });
      },
    ],
  ];

  async function remove(path: string): Promise<void> {
    expect((await server.admin('DELETE', path)).status).toBe(204);
  }

  let count = 0;
  const nextName = (): string => {
    count += 1;
    return `leaver-${count}`;
  };

  async function keyOf(rest: Rest): Promise<string> {
    const [listed] = (await rest('GET', '/api/access-keys')).json as { accessKeyId: string }[];
    return listed?.accessKeyId ?? '';
  }

  it.each(gone)('before the upload, when %s', async (_what, change) => {
    const name = nextName();
    const rest = await member(name);
    const theirs = await submitOne(rest);
    expect((await sendForm(server, theirs)).status).toBe(204);
    const stored = theirs.fields['key'] ?? '';
    await server.admin('DELETE', `/submissions/${stored}`);
    await change(name, await keyOf(rest));
    const answer = await sendForm(server, theirs);
    expect(answer.status).toBe(403);
    expect(answer.xml['Code']).toMatch(/^(InvalidAccessKeyId|AccessDenied)$/);
    await server.expectAbsent('submissions', stored);
  });

  it.each([
    ...gone,
    ['the password was changed', (name: string) => password(name)] as (typeof gone)[number],
  ])('during the upload, when %s', async (_what, change) => {
    const name = nextName();
    const rest = await member(name);
    const { fields } = await submitOne(rest);
    const body = formBody(Object.entries(fields), Buffer.alloc(400_000, 'x'));
    const before = await server.blobs();
    const raw = await openRaw(server.url);
    raw.send(
      `POST / HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    raw.send(body.subarray(0, 300_000));
    await expect.poll(() => server.blobs(), { interval: 5 }).toHaveLength(before.length + 1);
    await change(name, await keyOf(rest));
    raw.send(body.subarray(300_000));
    expect((await raw.answer()).status).toBe(403);
    raw.destroy();
    await server.expectAbsent('submissions', fields['key'] ?? '');
    await expect.poll(() => server.blobs(), { interval: 5 }).toEqual(before);
  });

  async function password(name: string): Promise<void> {
    const user = { password: 'another', role: 'member', grants: GRANTS };
    expect((await server.admin('PUT', `/api/users/${name}`, user)).status).toBe(200);
  }
});

it('uploads keep who they are for, whatever becomes of the form', async () => {
  const labelled = await submitOne(server.admin, { fileName: 'a', spektrDataField: 'label' });
  expect((await sendForm(server, labelled, {}, { file: 'abc' })).status).toBe(204);
  expect(await arrived(server.admin)).toContainEqual(
    expect.objectContaining({ spektrDataField: 'label', etag: `"${md5Hex('abc')}"` }),
  );
});

it('secrets and tokens are nowhere in the log, nor in answers', async () => {
  await expect.poll(() => server.log().split('"status":204').length).toBeGreaterThan(3);
  const log = server.log();
  const { fields } = form;
  for (const secret of [
    pair.secretAccessKey,
    pair.securityToken,
    pair.securityToken.slice(0, 40),
    fields['Policy'] ?? '',
    fields['X-Amz-Signature'] ?? '',
  ]) {
    expect(secret).not.toBe('');
    expect(log).not.toContain(secret);
  }
  expect(log).toContain(pair.accessKeyId);
  const sent = JSON.stringify(form);
  expect(sent).not.toContain(pair.secretAccessKey);
});

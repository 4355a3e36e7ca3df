import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** PutBucketAcl, GetBucketAcl, PutObjectAcl and GetObjectAcl, and what they let others do. */

const EVERYBODY = 'http://acs.amazonaws.com/groups/global/AllUsers';
const AUTHENTICATED = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';

/** What each canned ACL is shown as, besides the owner's FULL_CONTROL. */
const SHOWN: Record<string, string[]> = {
  private: [],
  'public-read': [`${EVERYBODY} READ`],
  'public-read-write': [`${EVERYBODY} READ`, `${EVERYBODY} WRITE`],
  'authenticated-read': [`${AUTHENTICATED} READ`],
  'bucket-owner-read': [],
  'bucket-owner-full-control': [],
  'aws-exec-read': [],
};
const ACLS = Object.keys(SHOWN);

let server: S3Server;
let send: SendSigned;
/** Has no grant in these buckets. */
let stranger: KeyPair;
let owner = '';

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  stranger = await server.makeMember('stefan', [{ prefix: 'elsewhere/', access: 'write' }]);
  await server.makeBucket('files');
  owner = (await send('GET', '/files?acl')).xml['ID'] ?? '';
});

afterAll(() => server.stop());

function grantsOf({ text }: S3Answer): string[] {
  return [...text.matchAll(/<Grant>(.*?)<\/Grant>/g)].map(([, grant = '']) =>
    [/<URI>([^<]*)/.exec(grant)?.[1] ?? 'owner', /<Permission>([^<]*)/.exec(grant)?.[1]].join(' '),
  );
}

function group(uri: string, permission: string): string {
  return `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>${uri}</URI></Grantee><Permission>${permission}</Permission></Grant>`;
}

function policy(grants: string, { id = owner, own = 'FULL_CONTROL' } = {}): string {
  return `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>${id}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${id}</ID></Grantee><Permission>${own}</Permission></Grant>${grants}</AccessControlList></AccessControlPolicy>`;
}

/** Without credentials, as a user without a grant, and as the owner. */
async function statusesOf(
  method: string,
  path: string,
  body?: string,
): Promise<[number, number, number]> {
  const sent = body === undefined ? {} : { body };
  const anonymous = await sendS3(server.url, { method, path, ...sent });
  const authenticated = await send(method, path, { pair: stranger, ...sent });
  return [anonymous.status, authenticated.status, (await send(method, path, sent)).status];
}

describe.each(['/files', '/files/kept'])('the ACL of %s', (path) => {
  beforeAll(async () => {
    expect((await send('PUT', '/files/kept', { body: 'kept' })).status).toBe(200);
  });

  it.each(ACLS)('is put as %s by its name, and shown as its grants', async (acl) => {
    const answer = await send('PUT', `${path}?acl`, { headers: { 'x-amz-acl': acl } });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.get('x-amz-request-id')).toMatch(/./);
    const shown = await send('GET', `${path}?acl`);
    expect(shown.headers.get('content-type')).toBe('application/xml');
    expect(shown.text).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<AccessControlPolicy xmlns="http:\/\/s3\.amazonaws\.com\/doc\/2006-03-01\/"><Owner><ID>\w{64}<\/ID>/,
    );
    expect(grantsOf(shown)).toEqual(['owner FULL_CONTROL', ...(SHOWN[acl] ?? [])]);
  });

  it.each(ACLS)('that is shown for %s is taken as it was shown', async (acl) => {
    await send('PUT', `${path}?acl`, { headers: { 'x-amz-acl': acl } });
    const shown = await send('GET', `${path}?acl`);
    await send('PUT', `${path}?acl`, { headers: { 'x-amz-acl': 'public-read' } });
    expect((await send('PUT', `${path}?acl`, { body: shown.text })).status).toBe(200);
    expect((await send('GET', `${path}?acl`)).text).toBe(shown.text);
  });

  it('is taken as a document', async () => {
    const body = policy(group(AUTHENTICATED, 'READ'));
    expect((await send('PUT', `${path}?acl`, { body })).status).toBe(200);
    expect(grantsOf(await send('GET', `${path}?acl`))).toEqual([
      'owner FULL_CONTROL',
      `${AUTHENTICATED} READ`,
    ]);
  });

  it('stays as it was where another cannot be kept', async () => {
    await send('PUT', `${path}?acl`, { headers: { 'x-amz-acl': 'public-read' } });
    const before = (await send('GET', `${path}?acl`)).text;
    const other = 'a'.repeat(64);
    const header = (name: string, value: string) => ({ headers: { [name]: value } });
    for (const [options, status, code] of [
      [header('x-amz-acl', 'everything'), 400, 'InvalidArgument'],
      [header('x-amz-acl', 'Private'), 400, 'InvalidArgument'],
      [{}, 400, 'MissingSecurityHeader'],
      [{ ...header('x-amz-acl', 'private'), body: policy('') }, 400, 'InvalidRequest'],
      [header('x-amz-grant-read', `uri="${EVERYBODY}"`), 501, 'NotImplemented'],
      [header('x-amz-grant-write', `id="${owner}"`), 501, 'NotImplemented'],
      [header('x-amz-grant-read-acp', 'emailAddress="a@example.com"'), 501, 'NotImplemented'],
      [header('x-amz-grant-write-acp', 'id="1"'), 501, 'NotImplemented'],
      [header('x-amz-grant-full-control', `id="${owner}"`), 501, 'NotImplemented'],
      [{ body: policy(group(EVERYBODY, 'WRITE')) }, 501, 'NotImplemented'],
      [{ body: policy(group(EVERYBODY, 'FULL_CONTROL')) }, 501, 'NotImplemented'],
      [{ body: policy('', { own: 'READ' }) }, 501, 'NotImplemented'],
      [{ body: policy(group('http://example.com/group', 'READ')) }, 501, 'NotImplemented'],
      [{ body: policy('', { id: other }) }, 403, 'AccessDenied'],
      [{ body: policy(group(EVERYBODY, 'EVERYTHING')) }, 400, 'MalformedACLError'],
      [{ body: '<AccessControlPolicy/>' }, 400, 'MalformedACLError'],
      [{ body: 'public-read-write' }, 400, 'MalformedACLError'],
    ] as const) {
      expectS3Error(await send('PUT', `${path}?acl`, options), status, code);
    }
    expect((await send('GET', `${path}?acl`)).text).toBe(before);
  });

  it('is the owner’s to see and to change, whatever it says', async () => {
    await send('PUT', `${path}?acl`, { headers: { 'x-amz-acl': 'public-read-write' } });
    for (const pair of [stranger, undefined]) {
      for (const method of ['GET', 'PUT']) {
        const headers = { 'x-amz-acl': 'private' };
        const answer = pair
          ? await send(method, `${path}?acl`, { pair, headers })
          : await sendS3(server.url, { method, path: `${path}?acl`, headers });
        expectS3Error(answer, 403, 'AccessDenied');
      }
    }
    expect(grantsOf(await send('GET', `${path}?acl`))).toHaveLength(3);
    expect((await send('PUT', `${path}?acl`, { headers: { 'x-amz-acl': 'private' } })).status).toBe(
      200,
    );
  });
});

describe('an object’s ACL', () => {
  it.each<[string, [number, number, number]]>([
    ['private', [403, 403, 200]],
    ['public-read', [200, 200, 200]],
    ['public-read-write', [200, 200, 200]],
    ['authenticated-read', [403, 200, 200]],
    ['bucket-owner-read', [403, 403, 200]],
    ['bucket-owner-full-control', [403, 403, 200]],
    ['aws-exec-read', [403, 403, 200]],
  ])('%s opens the object alone, at once, and never for writing', async (acl, statuses) => {
    await send('PUT', '/files?acl', { headers: { 'x-amz-acl': 'private' } });
    await send('PUT', '/files/opened', { body: 'bytes' });
    expect(await statusesOf('GET', '/files/opened')).toEqual([403, 403, 200]);
    await send('PUT', '/files/opened?acl', { headers: { 'x-amz-acl': acl } });
    expect(await statusesOf('GET', '/files/opened')).toEqual(statuses);
    expect(await statusesOf('HEAD', '/files/opened')).toEqual(statuses);
    expect(await statusesOf('GET', '/files')).toEqual([403, 403, 200]);
    const tags = '<Tagging><TagSet/></Tagging>';
    expect(await statusesOf('PUT', '/files/opened?tagging', tags)).toEqual([403, 403, 200]);
    expect(await statusesOf('GET', '/files/opened?tagging')).toEqual([403, 403, 200]);
    expect(await statusesOf('PUT', '/files/opened', 'other')).toEqual([403, 403, 200]);
  });

  it('goes with PutObject, and leaves bytes, time, tags and metadata as they are', async () => {
    const headers = {
      'x-amz-acl': 'public-read',
      'x-amz-meta-level': '7',
      'x-amz-tagging': 'a=b',
      'content-type': 'text/plain',
    };
    await send('PUT', '/files/said', { headers, body: 'bytes' });
    const before = await send('GET', '/files/said');
    expect((await sendS3(server.url, { path: '/files/said' })).status).toBe(200);
    await send('PUT', '/files/said?acl', { headers: { 'x-amz-acl': 'authenticated-read' } });
    const after = await send('GET', '/files/said');
    for (const name of [
      'etag',
      'last-modified',
      'content-type',
      'x-amz-meta-level',
      'x-amz-tagging-count',
    ]) {
      expect([name, after.headers.get(name)]).toEqual([name, before.headers.get(name)]);
    }
    expect(after.text).toBe('bytes');
    // A new object has its own.
    await send('PUT', '/files/said', { body: 'new' });
    expect(grantsOf(await send('GET', '/files/said?acl'))).toEqual(['owner FULL_CONTROL']);
  });

  it('of no object there is none', async () => {
    expectS3Error(await send('GET', '/files/absent?acl'), 404, 'NoSuchKey', { Key: 'absent' });
    const headers = { 'x-amz-acl': 'private' };
    expectS3Error(await send('PUT', '/files/absent?acl', { headers }), 404, 'NoSuchKey');
    await server.expectAbsent('files', 'absent');
  });
});

describe('a bucket’s ACL', () => {
  it.each<[string, [number, number, number], [number, number, number]]>([
    ['private', [403, 403, 200], [403, 403, 200]],
    ['public-read', [200, 200, 200], [403, 403, 200]],
    ['public-read-write', [200, 200, 200], [200, 200, 200]],
    ['authenticated-read', [403, 200, 200], [403, 403, 200]],
    ['bucket-owner-full-control', [403, 403, 200], [403, 403, 200]],
  ])('%s opens its list and its writing, at once, and no object', async (acl, list, write) => {
    await send('PUT', '/files/closed', { body: 'bytes' });
    await send('PUT', '/files?acl', { headers: { 'x-amz-acl': acl } });
    for (const query of ['', '?list-type=2', '?uploads', '?versions']) {
      expect(await statusesOf('GET', `/files${query}`)).toEqual(list);
    }
    expect(await statusesOf('HEAD', '/files')).toEqual(list);
    expect(await statusesOf('PUT', '/files/written', 'x')).toEqual(write);
    expect(await statusesOf('GET', '/files/closed')).toEqual([403, 403, 200]);
    expect((await server.admin('GET', '/api/buckets')).json).toContainEqual(
      expect.objectContaining({ name: 'files', acl }),
    );
  });

  it('is for admins, with Basic credentials too', async () => {
    const manager = await server.makeMember('manuela', [{ prefix: 'files', access: 'write' }]);
    const headers = { 'x-amz-acl': 'public-read' };
    expectS3Error(await send('PUT', '/files?acl', { pair: manager, headers }), 403, 'AccessDenied');
    expectS3Error(await send('GET', '/files?acl', { pair: manager }), 403, 'AccessDenied');
    const basic = await sendS3(server.url, {
      method: 'PUT',
      path: '/files?acl',
      headers: { ...AS_ADMIN, 'x-amz-acl': 'private' },
    });
    expect([basic.status, basic.text]).toEqual([200, '']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { headersV2, presignV2 } from '../support/sign-request.ts';
import { type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** Settings of buckets and objects that change at once, from several clients, and over a restart. */

const RULES =
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';

let server: S3Server;
let send: SendSigned;

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  await server.makeBucket('files');
});

afterAll(() => server.stop());

function tagging(value: number | string): string {
  return `<Tagging><TagSet><Tag><Key>k</Key><Value>${value}</Value></Tag></TagSet></Tagging>`;
}

function statuses(answers: readonly { status: number }[]): number[] {
  return [...new Set(answers.map(({ status }) => status))];
}

it('none of several changes to one object is lost', async () => {
  await send('PUT', '/files/k', { body: 'bytes' });
  const answers: S3Answer[] = [];
  for (let round = 0; round < 10; round += 1) {
    const acl = round % 2 === 0 ? 'public-read' : 'authenticated-read';
    answers.push(
      ...(await Promise.all([
        send('PUT', '/files/k?tagging', { body: tagging(round) }),
        send('PUT', '/files/k?acl', { headers: { 'x-amz-acl': acl } }),
      ])),
    );
    expect((await send('GET', '/files/k?tagging')).xml['Value']).toBe(String(round));
    expect((await send('GET', '/files/k?acl')).text).toContain(
      acl === 'public-read' ? 'AllUsers' : 'AuthenticatedUsers',
    );
  }
  expect(statuses(answers)).toEqual([200]);
  expect((await send('GET', '/files/k')).text).toBe('bytes');
});

it('an object that is replaced meanwhile has the tags of one or the other, and its own bytes', async () => {
  for (let round = 0; round < 10; round += 1) {
    await send('PUT', '/files/k', { body: 'old' });
    const answers = await Promise.all([
      send('PUT', '/files/k', { body: `new ${round}`, headers: { 'x-amz-tagging': 'k=put' } }),
      send('PUT', '/files/k?tagging', { body: tagging('said') }),
    ]);
    expect(statuses(answers)).toEqual([200]);
    expect((await send('GET', '/files/k')).text).toBe(`new ${round}`);
    expect(['put', 'said']).toContain((await send('GET', '/files/k?tagging')).xml['Value']);
  }
});

it('an object that is deleted meanwhile does not come back', async () => {
  for (let round = 0; round < 10; round += 1) {
    await send('PUT', '/files/gone', { body: 'bytes' });
    const [removed, tagged] = await Promise.all([
      send('DELETE', '/files/gone'),
      send('PUT', '/files/gone?tagging', { body: tagging(round) }),
    ]);
    expect(removed.status).toBe(204);
    expect([200, 404]).toContain(tagged.status);
    await server.expectAbsent('files', 'gone');
  }
});

it('none of several changes to one bucket is lost', async () => {
  await server.makeBucket('changed');
  const answers = await Promise.all([
    send('PUT', '/changed?acl', { headers: { 'x-amz-acl': 'public-read' } }),
    send('PUT', '/changed?cors', { body: RULES }),
    server.admin('PUT', '/api/buckets/changed', { keepVersions: 7 }),
    send('PUT', '/changed/k', { body: 'first' }),
  ]);
  expect(statuses(answers)).toEqual([200]);
  expect((await send('GET', '/changed?cors')).text).toContain('<AllowedMethod>GET<');
  expect((await server.admin('GET', '/api/buckets')).json).toContainEqual(
    expect.objectContaining({ name: 'changed', acl: 'public-read', keepVersions: 7 }),
  );
  expect((await server.admin('DELETE', '/api/buckets/changed')).status).toBe(409);
});

it('a change to a bucket that is removed meanwhile does not bring it back', async () => {
  for (let round = 0; round < 5; round += 1) {
    await server.makeBucket('removed');
    const [removed, changed] = await Promise.all([
      send('DELETE', '/removed'),
      send('PUT', '/removed?cors', { body: RULES }),
    ]);
    expect(removed.status).toBe(204);
    expect([200, 404]).toContain(changed.status);
    expectS3Error(await send('GET', '/removed?cors'), 404, 'NoSuchBucket');
  }
});

it('all of them are there after a restart', async () => {
  const first = await startServer();
  const put = (path: string, headers: Record<string, string>, body?: string) =>
    sendS3(first.url, {
      method: 'PUT',
      path,
      headers: { ...AS_ADMIN, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  await createRest(first.url)('PUT', '/api/buckets/files', {});
  const answers = [
    await put('/files/k', {}, 'bytes'),
    await put('/files/k?tagging', {}, tagging('kept')),
    await put('/files/k?acl', { 'x-amz-acl': 'public-read' }),
    await put('/files?acl', { 'x-amz-acl': 'public-read' }),
    await put('/files?cors', {}, RULES),
  ];
  expect(statuses(answers)).toEqual([200]);
  await first.stop({ keep: true });
  const second = await startServer({ folder: first.folder });
  const get = (path: string, headers = {}) => sendS3(second.url, { path, headers });
  expect((await get('/files/k?tagging', AS_ADMIN)).xml['Value']).toBe('kept');
  expect((await get('/files?cors', AS_ADMIN)).text).toContain('<AllowedMethod>GET<');
  const answer = await get('/files/k', { origin: 'https://any.example' });
  expect([answer.text, answer.headers.get('access-control-allow-methods')]).toEqual([
    'bytes',
    'GET',
  ]);
  expect((await get('/files')).status).toBe(200);
  await second.stop();
});

describe('whose bucket it is', () => {
  it('is as the client expects, or nothing is done', async () => {
    const owner = (await send('GET', '/files?acl')).xml['ID'] ?? '';
    await send('PUT', '/files/owned', { body: 'bytes' });
    for (const [expected, status] of [
      [owner, 200],
      ['123456789012', 403],
    ] as const) {
      const headers = { 'x-amz-expected-bucket-owner': expected };
      for (const [method, path, body] of [
        ['GET', '/files?acl', undefined],
        ['GET', '/files/owned?tagging', undefined],
        ['PUT', '/files/owned?tagging', tagging(expected)],
        ['PUT', '/files/owned', 'bytes'],
      ] as const) {
        const sent = body === undefined ? { headers } : { headers, body };
        const answer = await send(method, path, sent);
        expect([method, path, answer.status]).toEqual([method, path, status]);
        if (status === 403) expectS3Error(answer, 403, 'AccessDenied');
      }
    }
    expect((await send('GET', '/files/owned')).text).toBe('bytes');
  });
});

describe('signed with version 2', () => {
  it.each(['/files?acl', '/files?location', '/files?versions', '/files/k?acl', '/files/k?tagging'])(
    '%s is another request than without its parameter',
    async (path) => {
      await send('PUT', '/files/k', { body: 'bytes' });
      const request = { pair: ADMIN_KEY, path, host: server.host };
      const bare = { ...request, path: path.replace(/\?.*/, '') };
      const header = await sendS3(server.url, { path, headers: headersV2(request) });
      expect(header.status, header.text).toBe(200);
      expect((await sendS3(server.url, { path: presignV2(request) })).status).toBe(200);
      const parameter = path.replace(/.*\?/, '&');
      for (const answer of [
        await sendS3(server.url, { path, headers: headersV2(bare) }),
        await sendS3(server.url, { path: presignV2(bare) + parameter }),
      ]) {
        expectS3Error(answer, 403, 'SignatureDoesNotMatch');
      }
    },
  );
});

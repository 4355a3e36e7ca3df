import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, type S3Server, startS3Server } from '../support/s3-server.ts';
import { signV2 } from '../support/sign-form.ts';
import { presignV4 } from '../support/sign-request.ts';

/** Who was given a signed URL can do with it what was signed, and add nothing to it. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('files');
  await server.uploadSigned({ bucket: 'files', fields: { key: 'secret' } }, { file: 'secret' });
});

afterAll(() => server.stop());

/** A URL for PutObject that fixes its ACL, as SDKs made them with version 2. */
function urlV2(key: string, acl: string): string {
  const expires = Math.floor(Date.now() / 1_000) + 60;
  const text = `PUT\n\n\n${expires}\nx-amz-acl:${acl}\n/files/${key}`;
  const query = new URLSearchParams({
    AWSAccessKeyId: ADMIN_KEY.accessKeyId,
    Expires: String(expires),
    Signature: signV2(ADMIN_KEY.secretAccessKey, text),
    'x-amz-acl': acl,
  });
  return `/files/${key}?${query}`;
}

function urlV4(key: string, acl: string): string {
  return presignV4({
    pair: ADMIN_KEY,
    method: 'PUT',
    host: server.host,
    path: `/files/${key}?x-amz-acl=${acl}`,
  });
}

const ADDED = [
  ['a header', 'x-amz-acl', 'public-read'],
  ['a header in upper case', 'X-AMZ-ACL', 'public-read'],
  ['metadata', 'x-amz-meta-a', 'b'],
  ['a source', 'x-amz-copy-source', '/files/secret'],
] as const;

describe.each([
  ['2', urlV2],
  ['4', urlV4],
])('a URL signed with version %s', (version, urlOf) => {
  it('puts an object with what it says', async () => {
    const path = urlOf('plain', 'public-read');
    const answer = await sendS3(server.url, { method: 'PUT', path, body: 'bytes' });
    expect(answer.status, answer.text).toBe(200);
    expect((await sendS3(server.url, { path: '/files/plain' })).text).toBe('bytes');
  });

  it.each(ADDED)('takes no more: %s', async (_name, name, value) => {
    const path = urlOf('added', 'private');
    const parameter = `${name}=${encodeURIComponent(value)}`;
    const send = (sent: string, headers = {}) =>
      sendS3(server.url, { method: 'PUT', path: sent, headers, body: 'x' });
    const header = await send(path, { [name]: value });
    expectS3Error(header, 403, version === '4' ? 'AccessDenied' : 'SignatureDoesNotMatch');
    for (const sent of [`${path}&${parameter}`, path.replace('?', `?${parameter}&`)]) {
      expectS3Error(await send(sent), 403, 'SignatureDoesNotMatch');
    }
    await server.expectAbsent('files', 'added');
  });

  it.each(['acl', 'tagging', 'partNumber=1&uploadId=1', 'versionId=null'])(
    'is not for ?%s',
    async (query) => {
      const path = `${urlOf('other', 'private')}&${query}`;
      const answer = await sendS3(server.url, { method: 'PUT', path, body: '' });
      expectS3Error(answer, 403, 'SignatureDoesNotMatch');
    },
  );
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobFiles } from '../support/blob-files.ts';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  AS_ADMIN,
  asBasic,
  md5Hex,
  pathOf,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';

/** What S3's calls of uploads in parts answer and refuse, and whom. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

interface Sent {
  readonly key?: string;
  readonly query: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(method: string, { key = 'k', query, body, headers = AS_ADMIN }: Sent) {
  const path = `${pathOf('uploads', key)}?${query}`;
  return sendS3(server.url, { method, path, headers, ...(body === undefined ? {} : { body }) });
}

async function begin(key = 'k'): Promise<string> {
  const { status, xml, text } = await send('POST', { key, query: 'uploads' });
  expect(status, text).toBe(200);
  return xml['UploadId'] ?? '';
}

function completion(...parts: readonly (readonly [number: number | string, etag: string])[]) {
  const members = parts.map(
    ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  return `<CompleteMultipartUpload>${members.join('')}</CompleteMultipartUpload>`;
}

function memberNames(xml: string): string[] {
  return [...new Set([...xml.matchAll(/<(\w+)[ >]/g)].map(([, name = '']) => name))].sort();
}

describe('have the elements of S3', () => {
  it('ListMultipartUploads', async () => {
    await begin('elements/a');
    await begin('elements/b/c');
    await begin('elements/d');
    const path = '/uploads?uploads&prefix=elements/&delimiter=/&max-uploads=2&encoding-type=url';
    const { text, xml } = await sendS3(server.url, { path, headers: AS_ADMIN });
    expect(memberNames(text)).toEqual(
      [
        ...['ListMultipartUploadsResult', 'Bucket', 'KeyMarker', 'UploadIdMarker', 'NextKeyMarker'],
        ...[
          'NextUploadIdMarker',
          'Delimiter',
          'Prefix',
          'MaxUploads',
          'IsTruncated',
          'EncodingType',
        ],
        ...['Upload', 'Key', 'UploadId', 'Initiator', 'Owner', 'ID', 'DisplayName', 'StorageClass'],
        ...['Initiated', 'CommonPrefixes'],
      ].sort(),
    );
    expect(xml).toMatchObject({ NextKeyMarker: 'elements/b/', NextUploadIdMarker: '' });
    const after = 'key-marker=elements/b/&upload-id-marker=';
    const rest = await sendS3(server.url, { path: `${path}&${after}`, headers: AS_ADMIN });
    expect(rest.xml).toMatchObject({ Key: 'elements/d', IsTruncated: 'false' });
  });

  it('ListParts, and the rest of them behind a number', async () => {
    const id = await begin('elements');
    for (const number of [1, 2, 5]) {
      const query = `partNumber=${number}&uploadId=${id}`;
      await send('PUT', { key: 'elements', query, body: `${number}` });
    }
    const query = `uploadId=${id}&max-parts=2`;
    const { text, xml } = await send('GET', { key: 'elements', query });
    expect(memberNames(text)).toEqual(
      [
        ...['ListPartsResult', 'Bucket', 'Key', 'UploadId', 'Initiator', 'Owner', 'ID'],
        ...['DisplayName', 'StorageClass', 'PartNumberMarker', 'NextPartNumberMarker'],
        ...['MaxParts', 'IsTruncated', 'Part', 'PartNumber', 'LastModified', 'ETag', 'Size'],
      ].sort(),
    );
    expect(xml).toMatchObject({ NextPartNumberMarker: '2', IsTruncated: 'true' });
    const rest = await send('GET', { key: 'elements', query: `${query}&part-number-marker=2` });
    expect(rest.xml).toMatchObject({ PartNumber: '5', IsTruncated: 'false' });
    expect(rest.text).not.toContain('NextPartNumberMarker');
  });
});

describe('limits', () => {
  it.each([
    ['max-parts=-1', 'max-parts'],
    ['max-parts=x', 'max-parts'],
    ['part-number-marker=-1', 'part-number-marker'],
    ['part-number-marker=x', 'part-number-marker'],
  ])('%s is InvalidArgument', async (query, ArgumentName) => {
    const id = await begin();
    const answer = await send('GET', { query: `uploadId=${id}&${query}` });
    expectS3Error(answer, 400, 'InvalidArgument', { ArgumentName });
  });

  it('no parts and no uploads are none, and there is no more', async () => {
    const id = await begin();
    await send('PUT', { query: `uploadId=${id}&partNumber=1`, body: 'x' });
    const parts = await send('GET', { query: `uploadId=${id}&max-parts=0` });
    expect(parts.xml).toMatchObject({ MaxParts: '0', IsTruncated: 'false' });
    const path = '/uploads?uploads&max-uploads=0';
    const uploads = await sendS3(server.url, { path, headers: AS_ADMIN });
    expect(uploads.xml).toMatchObject({ MaxUploads: '0', IsTruncated: 'false' });
    for (const { text } of [parts, uploads]) expect(text).not.toMatch(/<(Part|Upload)>/);
  });

  it.each(['0', '10001', '-1', 'x', '1.5', ''])('there is no part %j', async (number) => {
    const id = await begin();
    const query = `uploadId=${id}&partNumber=${number}`;
    const refused = await send('PUT', { query, body: 'x' });
    expectS3Error(refused, 400, 'InvalidArgument', { ArgumentName: 'partNumber' });
    const body = completion([number, md5Hex('x')]);
    const completed = await send('POST', { query: `uploadId=${id}`, body });
    expect(completed.status).toBe(400);
  });

  it.each([
    ['no XML', 'no XML'],
    ['nothing', ''],
    ['no parts', '<CompleteMultipartUpload/>'],
    [
      'a part without a number',
      '<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>',
    ],
    [
      'too many parts',
      completion(...Array.from({ length: 10_001 }, (_, n) => [n + 1, 'e'] as const)),
    ],
  ])('%s cannot be completed', async (_what, body) => {
    const id = await begin();
    expectS3Error(await send('POST', { query: `uploadId=${id}`, body }), 400, 'MalformedXML');
    expect((await send('DELETE', { query: `uploadId=${id}` })).status).toBe(204);
  });

  it.each(['"ETAG"', '&quot;ETAG&quot;', 'ETAG'])('the ETag may be written as %s', async (form) => {
    const id = await begin();
    await send('PUT', { query: `uploadId=${id}&partNumber=1`, body: 'x' });
    const body = completion([1, form.replace('ETAG', md5Hex('x'))]);
    expect((await send('POST', { query: `uploadId=${id}`, body })).status).toBe(200);
  });
});

describe('members', () => {
  const calls = (id: string): [method: string, sent: Sent][] => [
    ['POST', { query: 'uploads' }],
    ['PUT', { query: `uploadId=${id}&partNumber=1`, body: 'x' }],
    ['GET', { query: `uploadId=${id}` }],
    ['POST', { query: `uploadId=${id}`, body: completion([1, md5Hex('x')]) }],
  ];

  it('upload in parts what they may write, and nothing else', async () => {
    await server.makeMember('writer', [{ prefix: 'uploads/mine/', access: 'write' }]);
    await server.makeMember('reader', [{ prefix: 'uploads/', access: 'read' }]);
    const id = await begin('mine/1');
    for (const [method, sent] of calls(id)) {
      for (const who of [asBasic('reader'), {}]) {
        const refused = await send(method, { ...sent, key: 'mine/1', headers: who });
        expectS3Error(refused, 403, 'AccessDenied');
      }
      const elsewhere = await send(method, { ...sent, key: 'other', headers: asBasic('writer') });
      expectS3Error(elsewhere, 403, 'AccessDenied');
    }
    for (const [method, sent] of calls(id)) {
      const done = await send(method, { ...sent, key: 'mine/1', headers: asBasic('writer') });
      expect([method, sent.query, done.status]).toEqual([method, sent.query, 200]);
    }
  });

  it('see the uploads that their grants cover', async () => {
    await server.makeMember('looker', [
      { prefix: 'uploads/seen/', access: 'read' },
      { prefix: 'uploads/also', access: 'read' },
    ]);
    for (const key of ['seen/1', 'also seen', 'not seen']) await begin(key);
    const path = '/uploads?uploads';
    const { text } = await sendS3(server.url, { path, headers: asBasic('looker') });
    const keys = [...text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key);
    expect(keys).toEqual(['also seen', 'seen/1']);
  });
});

it('a bucket goes with its uploads, and their bytes with the next start', async () => {
  const options = { env: { LOG_LEVEL: 'warn' } };
  const first = await startServer(options);
  const call = (method: string, path: string, body?: Buffer): Promise<S3Answer> =>
    sendS3(first.url, { method, path, headers: AS_ADMIN, ...(body ? { body } : {}) });
  await call('PUT', '/doomed-bucket');
  const id = (await call('POST', '/doomed-bucket/k?uploads')).xml['UploadId'];
  const part = `/doomed-bucket/k?uploadId=${id}&partNumber=1`;
  expect((await call('PUT', part, Buffer.alloc(70_000))).status).toBe(200);
  // Uploads are no objects: the bucket counts as empty, as in S3.
  expect((await call('DELETE', '/doomed-bucket')).status).toBe(204);
  expectS3Error(await call('PUT', part, Buffer.alloc(1)), 404, 'NoSuchBucket');
  await call('PUT', '/doomed-bucket');
  expectS3Error(await call('PUT', part, Buffer.alloc(1)), 404, 'NoSuchUpload');
  expect((await call('GET', '/doomed-bucket?uploads')).text).not.toContain('<Upload>');
  await first.stop({ keep: true });
  const second = await startServer({ ...options, folder: first.folder });
  expect(await blobFiles(second.dataDir)).toEqual([]);
  await second.stop();
});

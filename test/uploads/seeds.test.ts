import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import { md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { signV2 } from '../support/sign-form.ts';

/** The examples of s3-post-object.md and save-data-post.md as they stand, signed anew. */

let server: S3Server;
const SECRET = 'uV3F3YluFJax1cknvbcGwgjvx4QpvB+leU8dUj2o';

beforeAll(async () => {
  server = await startS3Server();
  for (const accessKeyId of ['15B4D3461F177624206A', 'AMAZONAPIKEY1234']) {
    const pair = { accessKeyId, secretAccessKey: SECRET };
    expect((await server.admin('POST', '/api/access-keys', pair)).status).toBe(201);
  }
  await server.makeBucket('johnsmith');
  await server.makeBucket('ctr-jwvj-live');
});

afterAll(() => server.stop());

function part(delimiter: string, headers: string, content: string): string {
  return `${delimiter}\r\n${headers}\r\n\r\n${content}\r\n`;
}

function field(delimiter: string, name: string, content: string): string {
  return part(delimiter, `Content-Disposition: form-data; name="${name}"`, content);
}

it('the form of s3-post-object.md is stored and redirected', async () => {
  const boundary = '---------------------------9431149156168';
  const policy = Buffer.from(`{ "expiration": "2107-12-01T12:00:00.000Z",
  "conditions": [
    {"bucket": "johnsmith"},
    ["starts-with", "$key", "user/eric/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://johnsmith.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    ["starts-with", "$x-amz-meta-tag", ""]
  ]
}
`).toString('base64');
  const fields = [
    ['key', 'user/eric/MyPicture.jpg'],
    ['acl', 'public-read'],
    ['success_action_redirect', 'http://johnsmith.s3.amazonaws.com/successful_upload.html'],
    ['Content-Type', 'image/jpeg'],
    ['x-amz-meta-uuid', '14365123651274'],
    ['x-amz-meta-tag', 'Some,Tag,For,Picture'],
    ['AWSAccessKeyId', '15B4D3461F177624206A'],
    ['Policy', policy],
    ['Signature', signV2(SECRET, policy)],
  ].map(([name = '', value = '']) => field(`--${boundary}`, name, value));
  const file = part(
    `--${boundary}`,
    'Content-Disposition: form-data; name="file"; filename="MyFilename.jpg"\r\nContent-Type: image/jpeg',
    '...file content...',
  );
  const submit = field(`--${boundary}`, 'submit', 'Upload to Amazon S3');
  const answer = await sendS3(server.url, {
    method: 'POST',
    path: '/',
    headers: {
      host: 'johnsmith.s3.amazonaws.com',
      'user-agent': 'Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.8.1.10)',
      accept: 'text/xml,application/xml,application/xhtml+xml,text/html;q=0.9,*/*;q=0.5',
      'content-type': `multipart/form-data; boundary=${boundary}`,
    },
    body: `${fields.join('')}${file}${submit}--${boundary}--\r\n`,
  });
  expect(answer.status, answer.text).toBe(303);
  const location = new URL(answer.headers.get('location') ?? '');
  expect(location.origin + location.pathname).toBe(
    'http://johnsmith.s3.amazonaws.com/successful_upload.html',
  );
  expect([...location.searchParams]).toEqual([
    ['bucket', 'johnsmith'],
    ['key', 'user/eric/MyPicture.jpg'],
    ['etag', `"${md5Hex('...file content...')}"`],
  ]);
  const read = await sendS3(server.url, {
    path: '/user/eric/MyPicture.jpg',
    headers: { host: 'johnsmith.s3.amazonaws.com' },
  });
  expect([read.status, read.text]).toEqual([200, '...file content...']);
  expect(read.headers.get('content-type')).toBe('image/jpeg');
  expect(read.headers.get('x-amz-meta-uuid')).toBe('14365123651274');
  expect(read.headers.get('x-amz-meta-tag')).toBe('Some,Tag,For,Picture');
});

const SLOT = '10.CTR_JWVJ_datastore/ds/1/data/12345678901-00007';

function save(options: { expiration?: string; size?: number; key?: string; acl?: string } = {}) {
  const {
    expiration = '2122-10-30T15:23:18.989274Z',
    size = 454,
    key = SLOT,
    acl = 'private',
  } = options;
  const policy = Buffer.from(`{
  "expiration": "${expiration}",
  "conditions": [
    {"bucket": "ctr-jwvj-live" },
    {"acl": "private" },
    ["eq", "$key", "${SLOT}"],
    ["content-length-range", 454, 454]
  ]
}`).toString('base64');
  const boundary = '--------BOUNDARY--------B34F03DAD085D8D5';
  const fields = [
    ['key', key],
    ['acl', acl],
    ['AWSAccessKeyId', 'AMAZONAPIKEY1234'],
    ['policy', policy],
    ['signature', signV2(SECRET, policy)],
    ['file', 's'.repeat(size)],
  ].map(([name = '', value = '']) => field(`--${boundary}`, name, value));
  return sendS3(server.url, {
    method: 'POST',
    path: '/',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${fields.join('')}--${boundary}--`,
  });
}

it('the form of save-data-post.md is stored with 204 and no data', async () => {
  const answer = await save();
  expect([answer.status, answer.text]).toEqual([204, '']);
  expect((await server.read('ctr-jwvj-live', SLOT)).text).toBe('s'.repeat(454));
  await server.admin('DELETE', `/ctr-jwvj-live/${encodeURIComponent(SLOT)}`);
});

it('and refused with an invalid value', async () => {
  expectS3Error(await save({ expiration: '2022-10-30T15:23:18.989274Z' }), 403, 'AccessDenied');
  expectS3Error(await save({ key: `${SLOT}8` }), 403, 'AccessDenied');
  expectS3Error(await save({ acl: 'public-read' }), 403, 'AccessDenied');
  expectS3Error(await save({ size: 455 }), 400, 'EntityTooLarge');
  expectS3Error(await save({ size: 453 }), 400, 'EntityTooSmall');
  await server.expectEmptyBucket('ctr-jwvj-live');
});

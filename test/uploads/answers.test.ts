import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';

/** What a form that was stored is answered. */

let server: S3Server;
const CORS = { 'access-control-allow-origin': '*' };

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

function upload(fields: Record<string, string>, file = 'bytes') {
  return server.uploadSigned({ bucket: 'uploads', fields }, { path: '/uploads', file });
}

describe('success', () => {
  it.each([
    ['nothing', undefined, 204],
    ['200', '200', 200],
    ['201', '201', 201],
    ['204', '204', 204],
    ['another status', '202', 204],
    ['no number', 'created', 204],
    ['the empty string', '', 204],
  ])('with success_action_status: %s', async (name, wanted, status) => {
    const key = `status/${name}`;
    const asked = wanted === undefined ? {} : { success_action_status: wanted };
    const answer = await upload({ key, ...asked }, name);
    expect(answer.status, answer.text).toBe(status);
    const location = `${server.url}/uploads/${encodeURIComponent(key)}`;
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...CORS,
      etag: `"${md5Hex(name)}"`,
      location,
      'x-amz-request-id': expect.stringMatching(/./),
      'x-amz-id-2': expect.stringMatching(/./),
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    if (status !== 201) expect(answer.text).toBe('');
    expect((await server.read('uploads', key)).text).toBe(name);
    expect((await fetch(location)).status).toBe(403);
  });

  it('201 carries PostResponse, and nothing else', async () => {
    const key = 'a&b/<c> "d".txt';
    const answer = await upload({ key, success_action_status: '201' });
    const location = `${server.url}/uploads/a%26b%2F%3Cc%3E%20%22d%22.txt`;
    expect(answer.headers.get('content-type')).toBe('application/xml');
    expect(answer.headers.get('location')).toBe(location);
    expect(answer.text).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>${location}</Location><Bucket>uploads</Bucket><Key>a&amp;b/&lt;c&gt; "d".txt</Key><ETag>"${md5Hex('bytes')}"</ETag></PostResponse>`,
    );
  });

  it.each(['success_action_redirect', 'redirect'])('%s: 303 to it', async (field) => {
    const key = `user/eric/${field} ü&.jpg`;
    const answer = await upload({ key, [field]: 'http://site.example/ok?a=b#end' });
    expect(answer.status).toBe(303);
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.href).toMatch(/^http:\/\/site\.example\/ok\?a=b&bucket=uploads&key=.*#end$/);
    expect([...location.searchParams]).toEqual([
      ['a', 'b'],
      ['bucket', 'uploads'],
      ['key', key],
      ['etag', `"${md5Hex('bytes')}"`],
    ]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...CORS,
      etag: `"${md5Hex('bytes')}"`,
      'x-amz-request-id': expect.stringMatching(/./),
      'x-amz-id-2': expect.stringMatching(/./),
    });
  });

  it('a redirect without a query gets one', async () => {
    const answer = await upload({ key: 'r', success_action_redirect: 'https://site.example' });
    expect(answer.headers.get('location')).toBe(
      `https://site.example/?bucket=uploads&key=r&etag=%22${md5Hex('bytes')}%22`,
    );
  });

  it('success_action_redirect wins over redirect, and both over the status', async () => {
    const answer = await upload({
      key: 'r',
      success_action_status: '201',
      redirect: 'http://old.example/',
      success_action_redirect: 'http://new.example/',
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/^http:\/\/new\.example\/\?bucket=/);
  });

  it.each(['', 'no URL', '/relative', 'javascript:alert(1)', 'ftp://site.example/', 'http://'])(
    'the redirect %j counts as absent',
    async (success_action_redirect) => {
      const answer = await upload({
        key: 'r',
        success_action_redirect,
        success_action_status: '200',
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('location')).toBe(`${server.url}/uploads/r`);
    },
  );

  it('an unreadable success_action_redirect leaves the older redirect', async () => {
    const answer = await upload({
      key: 'r',
      success_action_redirect: 'nowhere',
      redirect: 'http://old.example/',
    });
    expect(answer.headers.get('location')).toMatch(/^http:\/\/old\.example\/\?bucket=/);
  });

  it('a failure is not redirected, whatever the form asks', async () => {
    const answer = await upload({
      key: 'r-refused',
      acl: 'nobody',
      success_action_redirect: 'http://new.example/',
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.xml['Code']).toBe('InvalidArgument');
    await server.expectAbsent('uploads', 'r-refused');
  });

  it.each([0, 1, 65_536, 65_537, 1_000_000])('a file of %i bytes comes back', async (size) => {
    const file = Buffer.alloc(size, 'keystow');
    const answer = await server.uploadSigned(
      { bucket: 'uploads', fields: { key: `size/${size}` } },
      { file },
    );
    expect(answer.status, answer.text).toBe(204);
    const read = await server.read('uploads', `size/${size}`);
    expect(read.bytes.equals(file)).toBe(true);
    expect(read.headers.get('etag')).toBe(`"${md5Hex(file)}"`);
    expect(read.headers.get('content-length')).toBe(String(size));
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { createRest } from '../support/rest.ts';
import { expectS3Error, readMembers } from '../support/s3-client.ts';
import { FORM_TYPE, formBody, md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { arrived, policyOf, sendAsPage, sendForm, submit, submitOne } from './forms.ts';

/** `submit-files.md`: the forms, an upload as it shows it, its size, and the list of what arrived. */

const MAX = 15_728_640;
const START = Date.UTC(2025, 11, 8, 11, 6);

let server: S3Server;
let now = START;

beforeAll(async () => {
  server = await startS3Server({}, { now: () => now });
});

afterAll(() => server.stop());

describe('the answer', () => {
  it('has a form for each file of an array, in its order', async () => {
    const files = [
      { fileName: 'document.png', spektrDataField: 'passport' },
      { fileName: 'b.pdf' },
      { fileName: 'document.png', spektrDataField: 'passport' },
    ];
    const forms = await submit(server.admin, files);
    expect(forms.map(({ fileName }) => fileName)).toEqual([
      'document.png',
      'b.pdf',
      'document.png',
    ]);
    expect(forms.map((form) => Object.keys(form))).toEqual([
      ['fileName', 'spektrDataField', 'url', 'fields'],
      ['fileName', 'url', 'fields'],
      ['fileName', 'spektrDataField', 'url', 'fields'],
    ]);
    expect(new Set(forms.map(({ fields }) => fields['key'])).size).toBe(3);
    expect(new Set(forms.map(({ fields }) => fields['X-Amz-Security-Token'])).size).toBe(3);
  });

  it('is an array for one object too, and is not to be cached', async () => {
    const file = { fileName: 'document.png', spektrDataField: 'passport', more: 'ignored' };
    const answer = await server.admin('POST', '/submit-files', file);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json).toMatchObject([{ fileName: 'document.png', spektrDataField: 'passport' }]);
    expect(answer.text).not.toContain('more');
  });

  it('has the fields of the example in their order, and its url', async () => {
    const { url, fields } = await submitOne(server.admin, { fileName: 'document.png' });
    expect(url).toBe(`${server.url}/`);
    expect(Object.keys(fields)).toEqual([
      'key',
      'bucket',
      'X-Amz-Algorithm',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Security-Token',
      'Policy',
      'X-Amz-Signature',
    ]);
    expect(fields).toMatchObject({
      key: expect.stringMatching(/^admin\/[\da-f-]{36}\/document\.png$/),
      bucket: 'submissions',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': expect.stringMatching(
        /^ASIA[A-Z2-7]{16}\/20251208\/us-east-1\/s3\/aws4_request$/,
      ),
      'X-Amz-Date': '20251208T110600Z',
      'X-Amz-Signature': expect.stringMatching(/^[\da-f]{64}$/),
    });
  });

  it('has a policy of 15 minutes and 15 MiB, for this key of this bucket alone', async () => {
    const form = await submitOne(server.admin);
    const { fields } = form;
    expect(policyOf(form)).toEqual({
      expiration: '2025-12-08T11:21:00Z',
      conditions: [
        { bucket: 'submissions' },
        { key: fields['key'] },
        ['content-length-range', 0, MAX],
        { 'x-amz-credential': fields['X-Amz-Credential'] },
        { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' },
        { 'x-amz-date': fields['X-Amz-Date'] },
        { 'x-amz-security-token': fields['X-Amz-Security-Token'] },
      ],
    });
  });

  it('takes 100 files at once, each name and label of 255 bytes', async () => {
    const file = { fileName: `${'ü'.repeat(125)}.jpeg`, spektrDataField: 'x'.repeat(255) };
    const forms = await submit(
      server.admin,
      Array.from({ length: 100 }, () => file),
    );
    expect(forms).toHaveLength(100);
    expect(forms.at(-1)?.fields['key']).toMatch(/\/ü{125}\.jpeg$/);
  });
});

describe('the upload', () => {
  it('succeeds with 204 and no content, as a page or curl sends it', async () => {
    const form = await submitOne(server.admin, { fileName: 'document.png' });
    const response = await sendAsPage(form, 'a passport', 'C:\\other name.png');
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('etag')).toBe(`"${md5Hex('a passport')}"`);
    const stored = await server.read('submissions', form.fields['key'] ?? '');
    expect(stored.text).toBe('a passport');
  });

  it('may be sent again, to the bucket’s path and Host too, while the form is good', async () => {
    const form = await submitOne(server.admin);
    for (const upload of [
      { file: 'first' },
      { file: 'second', path: '/submissions' },
      { file: 'third', headers: { host: 'submissions.localhost' } },
    ]) {
      expect((await sendForm(server, form, {}, upload)).status).toBe(204);
      const stored = await server.read('submissions', form.fields['key'] ?? '');
      expect(stored.text).toBe(upload.file);
    }
  });

  it('refuses a field more, less, or changed, with XML', async () => {
    const form = await submitOne(server.admin);
    for (const [change, status, code] of [
      [{ acl: 'public-read' }, 403, 'AccessDenied'],
      [{ 'Content-Type': 'text/html' }, 403, 'AccessDenied'],
      [{ success_action_redirect: 'https://evil.example/' }, 403, 'AccessDenied'],
      [{ key: undefined }, 400, 'InvalidArgument'],
      [{ key: `${form.fields['key']}x` }, 403, 'AccessDenied'],
      [{ Policy: undefined }, 400, 'InvalidArgument'],
      [{ 'X-Amz-Signature': undefined }, 400, 'InvalidArgument'],
      [{ 'X-Amz-Signature': 'f'.repeat(64) }, 403, 'SignatureDoesNotMatch'],
      [{ 'X-Amz-Date': '20251208T110601Z' }, 403, 'AccessDenied'],
    ] as const) {
      expectS3Error(await sendForm(server, form, change), status, code);
    }
    await server.expectAbsent('submissions', form.fields['key'] ?? '');
  });
});

describe('15 MiB', () => {
  it('pass', async () => {
    const form = await submitOne(server.admin);
    const file = Buffer.alloc(MAX, 'x');
    expect((await sendForm(server, form, {}, { file })).status).toBe(204);
    const [last] = (await arrived(server.admin)).filter(({ key }) => key === form.fields['key']);
    expect(last).toMatchObject({ size: MAX, etag: `"${md5Hex(file)}"` });
  });

  it('and one byte do not, and the rest is not read', async () => {
    const { fields } = await submitOne(server.admin);
    const rest = 5_000_000;
    const body = formBody(Object.entries(fields), Buffer.alloc(MAX + 1 + rest, 'x'));
    const fileAt = body.indexOf('name="file"\r\n\r\n') + 'name="file"\r\n\r\n'.length;
    const raw = await openRaw(server.url);
    raw.send(
      `POST / HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    // All but the rest: what is never sent cannot be read.
    raw.send(body.subarray(0, fileAt + MAX + 1));
    const answer = await raw.answer();
    raw.destroy();
    expect(answer.status).toBe(400);
    expect(readMembers(answer.text)).toMatchObject({
      Code: 'EntityTooLarge',
      Message: 'Your proposed upload exceeds the maximum allowed size',
      ProposedSize: String(MAX + 1),
      MaxSizeAllowed: String(MAX),
    });
    await server.expectAbsent('submissions', fields['key'] ?? '');
  });
});

describe('GET /submit-files', () => {
  it('lists what has arrived, with its size, ETag, time and label', async () => {
    await server.makeMember('maria', [{ prefix: 'submissions/maria/', access: 'write' }]);
    const maria = createRest(server.url, 'maria', 'maria-password');
    expect(await arrived(maria)).toEqual([]);
    const [passport, bill] = await submit(maria, [
      { fileName: 'dir/document.png', spektrDataField: 'passport' },
      { fileName: 'bill.pdf' },
    ]);
    if (!passport || !bill) throw new Error('No forms.');
    expect(await arrived(maria)).toEqual([]);
    now = START + 61_500;
    expect((await sendForm(server, passport, {}, { file: 'abc' })).status).toBe(204);
    const first = {
      key: passport.fields['key'],
      fileName: 'dir/document.png',
      spektrDataField: 'passport',
      size: 3,
      etag: `"${md5Hex('abc')}"`,
      time: '2025-12-08T11:07:01.500Z',
    };
    expect(await arrived(maria)).toEqual([first]);
    expect((await sendForm(server, bill, {}, { file: '' })).status).toBe(204);
    const both = await arrived(maria);
    expect(both).toContainEqual(first);
    expect(both).toContainEqual({
      key: bill.fields['key'],
      fileName: 'bill.pdf',
      size: 0,
      etag: `"${md5Hex('')}"`,
      time: '2025-12-08T11:07:01.500Z',
    });
    expect(both.map(({ key }) => key)).toEqual(both.map(({ key }) => key).sort());
    now = START;
  });

  it('lists nobody else’s, nor what came another way, nor what was deleted', async () => {
    await server.makeMember('otto', [{ prefix: 'submissions/', access: 'write' }]);
    const otto = createRest(server.url, 'otto', 'otto-password');
    expect(await arrived(otto)).toEqual([]);
    const form = await submitOne(otto);
    expect((await sendForm(server, form)).status).toBe(204);
    const upload = await server.uploadSigned(
      { bucket: 'submissions', fields: { key: 'otto/by-hand' } },
      { file: 'x' },
    );
    // The clock of this server is not the signer's: signed till an hour from the real time.
    expect(upload.status, upload.text).toBe(204);
    expect((await arrived(otto)).map(({ key }) => key)).toEqual([form.fields['key']]);
    const admins = await arrived(server.admin);
    expect(admins.every(({ key }) => key.startsWith('admin/'))).toBe(true);
    expect((await server.admin('DELETE', `/submissions/${form.fields['key']}`)).status).toBe(204);
    expect(await arrived(otto)).toEqual([]);
  });

  it('needs credentials', async () => {
    expect((await fetch(`${server.url}/submit-files`)).status).toBe(401);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, pathOf, type S3Server, startS3Server } from '../support/s3-server.ts';
import { signV2, signV4 } from '../support/sign-form.ts';
import { createForm, type Form, type Policy, policyOf, sendAsPage, sendForm } from './forms.ts';

/** Each member of `data`: the form that it makes, an upload that obeys it, and one that does not. */

const START = Date.UTC(2026, 4, 17, 12);
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

let server: S3Server;
let now = START;

beforeAll(async () => {
  server = await startS3Server({ MAX_UPLOAD_BYTES: '2000' }, { now: () => now });
  await server.makeBucket('elsewhere');
});

afterAll(() => server.stop());

const create = (data?: unknown): Promise<Form> => createForm(server.admin, data);

function key({ fields }: Form): string {
  return fields['key'] ?? '';
}

function conditionsOf(form: Form): readonly unknown[] {
  return policyOf(form).conditions;
}

async function expectRefused(
  form: Form,
  change: Readonly<Record<string, string | undefined>>,
  condition: string,
): Promise<void> {
  const answer = await sendForm(server, form, change);
  const Message = `Invalid according to Policy: ${condition}`;
  expectS3Error(answer, 403, 'AccessDenied', { Message });
}

function failed(name: string, value: string): string {
  return `Policy Condition failed: ["eq", "$${name}", "${value}"]`;
}

describe('without data', () => {
  it('goes to direct_uploads/UUID of the upload bucket, answers 201, for an hour', async () => {
    const form = await create();
    expect(form.url).toBe(`${server.url}/uploads`);
    expect(Object.keys(form.fields)).toEqual([
      'key',
      'success_action_status',
      'policy',
      'x-amz-credential',
      'x-amz-algorithm',
      'x-amz-date',
      'x-amz-signature',
    ]);
    const [folder, id] = key(form).split('/');
    expect([folder, id]).toEqual(['direct_uploads', expect.stringMatching(UUID)]);
    const credential = `${ADMIN_KEY.accessKeyId}/20260517/us-east-1/s3/aws4_request`;
    const expected: Policy = {
      expiration: '2026-05-17T13:00:00Z',
      conditions: [
        { bucket: 'uploads' },
        { key: key(form) },
        { success_action_status: '201' },
        { 'x-amz-credential': credential },
        { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' },
        { 'x-amz-date': '20260517T120000Z' },
      ],
    };
    expect(policyOf(form)).toEqual(expected);
    const { policy = '', 'x-amz-signature': signature } = form.fields;
    const scope = credential.slice(credential.indexOf('/') + 1);
    expect(signature).toBe(signV4(ADMIN_KEY.secretAccessKey, scope, policy));
  });

  it('is uploaded as a page does, and refuses every other field', async () => {
    const form = await create();
    const response = await sendAsPage(form, 'from a page');
    expect(response.status).toBe(201);
    expect(await response.text()).toContain(`<Key>${key(form)}</Key>`);
    expect((await server.read('uploads', key(form))).text).toBe('from a page');
    await expectRefused(form, { key: `${key(form)}x` }, failed('key', key(form)));
    await expectRefused(
      form,
      { success_action_status: '200' },
      failed('success_action_status', '201'),
    );
    for (const extra of ['acl', 'Content-Type', 'x-amz-meta-a', 'success_action_redirect']) {
      await expectRefused(form, { [extra]: 'private' }, `Extra input fields: ${extra}`);
    }
    const elsewhere = await sendForm(server, form, {}, { path: '/elsewhere' });
    expectS3Error(elsewhere, 403, 'AccessDenied');
    const foreign = await sendForm(server, form, { 'x-amz-signature': 'f'.repeat(64) });
    expectS3Error(foreign, 403, 'SignatureDoesNotMatch');
  });

  it.each([[null], ['a string'], [7], [true], [[]], [[{ key: 'k' }]], [{}]])(
    'is what data of %j comes to',
    async (data) => {
      const form = await create(data);
      expect(form.url).toBe(`${server.url}/uploads`);
      expect(key(form)).toMatch(/^direct_uploads\/[\da-f-]{36}$/);
    },
  );

  it('makes another key each time', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, async () => key(await create())));
    expect(new Set(keys).size).toBe(5);
  });
});

describe('bucket', () => {
  it('is where the form goes, and nowhere else', async () => {
    const form = await create({ bucket: 'elsewhere' });
    expect(form.url).toBe(`${server.url}/elsewhere`);
    expect((await sendForm(server, form)).status).toBe(201);
    const other = await sendForm(server, form, {}, { path: '/uploads' });
    expectS3Error(other, 403, 'AccessDenied', {
      Message:
        'Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "elsewhere"]',
    });
  });
});

describe('key, prefix and filename', () => {
  it.each([
    [{ key: 'exactly/this' }, 'exactly/this'],
    [{ key: 'a/' }, 'a/'],
    [{ key: 'ключ/鍵 🔑 100%&<">\\' }, 'ключ/鍵 🔑 100%&<">\\'],
    [{ key: 'x'.repeat(1_024) }, 'x'.repeat(1_024)],
  ])('the key of case %#: that one', async (data, expected) => {
    const form = await create(data);
    expect(key(form)).toBe(expected);
    expect((await sendForm(server, form)).status).toBe(201);
    expect((await server.read('uploads', expected)).text).toBe('x');
    expectS3Error(await sendForm(server, form, { key: 'other' }), 403, 'AccessDenied');
  });

  it.each([
    [{ prefix: 'in' }, /^in\/[\da-f-]{36}$/],
    [{ prefix: 'in/' }, /^in\/[\da-f-]{36}$/],
    [{ prefix: 'in', filename: 'a.png' }, /^in\/[\da-f-]{36}\/a\.png$/],
    [{ filename: 'a.png' }, /^direct_uploads\/[\da-f-]{36}\/a\.png$/],
    [{ filename: '/home/me/a.png' }, /^direct_uploads\/[\da-f-]{36}\/a\.png$/],
    [{ filename: 'C:\\Users\\me\\a.png' }, /^direct_uploads\/[\da-f-]{36}\/a\.png$/],
    [{ filename: 'отчёт 📎.pdf' }, /^direct_uploads\/[\da-f-]{36}\/отчёт 📎\.pdf$/],
    [{ filename: 'folder/' }, /^direct_uploads\/[\da-f-]{36}\/file$/],
    [{ filename: '..' }, /^direct_uploads\/[\da-f-]{36}\/file$/],
    [{ filename: 'a\r\nb\0c' }, /^direct_uploads\/[\da-f-]{36}\/a__b_c$/],
  ])('%j: a key like %s', async (data, expected) => {
    const form = await create(data);
    expect(key(form)).toMatch(expected);
    expect((await sendAsPage(form, 'x')).status).toBe(201);
    await server.expectAbsent('uploads', `${key(form)}x`);
    expect((await server.read('uploads', key(form))).status).toBe(200);
  });

  it('a key with $' + '{filename} in it takes the name of whatever is sent', async () => {
    const form = await create({ key: 'inbox/$' + '{filename}' });
    expect(conditionsOf(form)).toContainEqual(['starts-with', '$key', 'inbox/']);
    expect((await sendAsPage(form, 'named', 'C:\\a b.txt')).status).toBe(201);
    expect((await server.read('uploads', 'inbox/a b.txt')).text).toBe('named');
    await expectRefused(
      form,
      { key: 'outbox/x' },
      'Policy Condition failed: ["starts-with", "$key", "inbox/"]',
    );
  });
});

describe('what is kept with the object', () => {
  it('contentType', async () => {
    const form = await create({ contentType: 'image/svg+xml; charset=utf-8' });
    expect(form.fields['Content-Type']).toBe('image/svg+xml; charset=utf-8');
    expect((await sendForm(server, form)).status).toBe(201);
    const { headers } = await server.read('uploads', key(form));
    expect(headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
    const condition = failed('Content-Type', 'image/svg+xml; charset=utf-8');
    await expectRefused(form, { 'Content-Type': 'text/html' }, condition);
    await expectRefused(form, { 'Content-Type': undefined }, condition);
  });

  it('acl', async () => {
    const form = await create({ acl: 'public-read' });
    expect((await sendForm(server, form)).status).toBe(201);
    const path = pathOf('uploads', key(form));
    expect((await sendS3(server.url, { path })).status).toBe(200);
    await expectRefused(form, { acl: 'private' }, failed('acl', 'public-read'));
    await expectRefused(form, { acl: undefined }, failed('acl', 'public-read'));
  });

  it('metadata, whatever the case of its names', async () => {
    const form = await create({ metadata: { Uploader: 'maría', 'scan.no_1-a': '14' } });
    expect(form.fields).toMatchObject({
      'x-amz-meta-uploader': 'maría',
      'x-amz-meta-scan.no_1-a': '14',
    });
    expect((await sendForm(server, form)).status).toBe(201);
    const { headers } = await server.read('uploads', key(form));
    expect(headers.get('x-amz-meta-scan.no_1-a')).toBe('14');
    expect(headers.get('x-amz-meta-uploader')).toBe('=?UTF-8?Q?mar=C3=ADa?=');
    await expectRefused(
      form,
      { 'x-amz-meta-uploader': 'otto' },
      failed('x-amz-meta-uploader', 'maría'),
    );
    await expectRefused(form, { 'x-amz-meta-more': '' }, 'Extra input fields: x-amz-meta-more');
  });

  it('2 KB of metadata', async () => {
    const form = await create({ metadata: { a: 'x'.repeat(2_047) } });
    expect((await sendForm(server, form)).status).toBe(201);
  });
});

describe('minBytes and maxBytes', () => {
  it.each([
    [{ minBytes: 3, maxBytes: 5 }, 3, 5],
    [{ maxBytes: 5 }, 0, 5],
    [{ minBytes: 3 }, 3, 2_000],
    [{ minBytes: 4, maxBytes: 4 }, 4, 4],
    [{ maxBytes: 0 }, 0, 0],
  ])('%j: %i to %i bytes, both inclusive', async (data, min, max) => {
    const form = await create(data);
    expect(conditionsOf(form)).toContainEqual(['content-length-range', min, max]);
    const send = (size: number) => sendForm(server, form, {}, { file: 'x'.repeat(size) });
    for (const size of [min, max]) expect((await send(size)).status).toBe(201);
    expectS3Error(await send(max + 1), 400, 'EntityTooLarge', {
      ProposedSize: String(max + 1),
      MaxSizeAllowed: String(max),
    });
    if (min === 0) return;
    expectS3Error(await send(min - 1), 400, 'EntityTooSmall', { MinSizeAllowed: String(min) });
  });
});

describe('expiresIn', () => {
  it.each([1, 60, 604_800])('%i seconds', async (expiresIn) => {
    now = START + 999;
    const form = await create({ expiresIn });
    const end = START + expiresIn * 1_000;
    expect(Date.parse(policyOf(form).expiration)).toBe(end);
    now = end - 1;
    expect((await sendForm(server, form)).status).toBe(201);
    now = end;
    await expectRefused(form, {}, 'Policy expired.');
    now = START;
  });
});

describe('what success is answered with', () => {
  it.each([200, 201, 204, '200', '201', '204'])('successActionStatus %j', async (status) => {
    const form = await create({ successActionStatus: status });
    expect(form.fields['success_action_status']).toBe(String(status));
    expect((await sendForm(server, form)).status).toBe(Number(status));
    const condition = failed('success_action_status', String(status));
    await expectRefused(form, { success_action_status: '303' }, condition);
  });

  it('successActionRedirect', async () => {
    const there = 'https://app.example/done?from=form';
    const form = await create({ successActionRedirect: there });
    const answer = await sendForm(server, form);
    expect(answer.status).toBe(303);
    const location = new URL(answer.headers.get('location') ?? '');
    expect(`${location.origin}${location.pathname}`).toBe('https://app.example/done');
    expect(Object.fromEntries(location.searchParams)).toEqual({
      from: 'form',
      bucket: 'uploads',
      key: key(form),
      etag: answer.headers.get('etag'),
    });
    const condition = failed('success_action_redirect', there);
    const evil = { success_action_redirect: 'https://evil.example/' };
    await expectRefused(form, evil, condition);
  });
});

describe('signatureVersion', () => {
  it.each([2, '2', 'v2'])('%j: the fields of version 2', async (signatureVersion) => {
    const form = await create({ signatureVersion, contentType: 'text/plain', maxBytes: 3 });
    expect(Object.keys(form.fields)).toEqual([
      'key',
      'success_action_status',
      'Content-Type',
      'AWSAccessKeyId',
      'policy',
      'signature',
    ]);
    expect(policyOf(form)).toEqual({
      expiration: '2026-05-17T13:00:00Z',
      conditions: [
        { bucket: 'uploads' },
        { key: key(form) },
        { success_action_status: '201' },
        { 'Content-Type': 'text/plain' },
        ['content-length-range', 0, 3],
      ],
    });
    const { policy = '', signature } = form.fields;
    expect(form.fields['AWSAccessKeyId']).toBe(ADMIN_KEY.accessKeyId);
    expect(signature).toBe(signV2(ADMIN_KEY.secretAccessKey, policy));
    expect((await sendForm(server, form)).status).toBe(201);
    await expectRefused(form, { key: 'other' }, failed('key', key(form)));
    const forged = await sendForm(server, form, { signature: signV2('another', policy) });
    expectS3Error(forged, 403, 'SignatureDoesNotMatch');
  });

  it.each([4, '4', 'v4'])('%j: those of version 4', async (signatureVersion) => {
    const form = await create({ signatureVersion });
    expect(form.fields['x-amz-algorithm']).toBe('AWS4-HMAC-SHA256');
    expect((await sendForm(server, form)).status).toBe(201);
  });
});

it('all of them hold together', async () => {
  const form = await create({
    bucket: 'elsewhere',
    prefix: 'all',
    filename: 'a.txt',
    contentType: 'text/plain',
    acl: 'public-read',
    minBytes: 1,
    maxBytes: 2,
    expiresIn: 60,
    successActionStatus: 204,
    successActionRedirect: 'https://app.example/',
    metadata: { a: '1', b: '2' },
    signatureVersion: 'v4',
  });
  expect(Object.keys(form.fields)).toEqual([
    'key',
    'success_action_status',
    'success_action_redirect',
    'Content-Type',
    'acl',
    'x-amz-meta-a',
    'x-amz-meta-b',
    'policy',
    'x-amz-credential',
    'x-amz-algorithm',
    'x-amz-date',
    'x-amz-signature',
  ]);
  expect((await sendForm(server, form)).status).toBe(303);
});

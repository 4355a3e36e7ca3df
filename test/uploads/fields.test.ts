import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildFormBody, type FormPart, formPart } from '../support/form-body.ts';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  FORM_TYPE,
  md5Hex,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { signForm } from '../support/sign-form.ts';

/** The form's parts: their order, their names, what is replaced in them, and what is kept of them. */

let server: S3Server;
const FILENAME = '$' + '{filename}';

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('refusing');
});

afterAll(() => server.stop());

function sendParts(parts: readonly FormPart[]): Promise<S3Answer> {
  return sendS3(server.url, {
    method: 'POST',
    path: '/',
    headers: { 'content-type': FORM_TYPE },
    body: buildFormBody({ boundary: 'keystow-test-boundary', parts }),
  });
}

function signedParts(fields: Record<string, string>, bucket = 'uploads'): FormPart[] {
  return signForm({ pair: ADMIN_KEY, bucket, fields }).map(([name, value]) =>
    formPart(name, value),
  );
}

describe('the order and the names of fields', () => {
  it('names are case-insensitive', async () => {
    const parts = signForm({
      pair: ADMIN_KEY,
      bucket: 'uploads',
      fields: { key: 'case', 'content-type': 'text/plain', 'X-AMZ-META-Name': 'v' },
    }).map(([name, value]) => formPart(name.toUpperCase(), value));
    const answer = await sendParts([...parts, formPart('FILE', 'x')]);
    expect(answer.status, answer.text).toBe(204);
    const { headers } = await server.read('uploads', 'case');
    expect(headers.get('content-type')).toBe('text/plain');
    expect(headers.get('x-amz-meta-name')).toBe('v');
  });

  it('what follows the file is ignored', async () => {
    const answer = await sendParts([
      ...signedParts({ key: 'followed' }),
      formPart('file', 'x'),
      formPart('submit', 'Upload to Amazon S3'),
      formPart('acl', 'public-read'),
      formPart('key', 'other'),
      formPart('policy', 'broken'),
      formPart('comment', 'c'.repeat(30_000)),
    ]);
    expect(answer.status, answer.text).toBe(204);
    await server.expectAbsent('uploads', 'other');
    expect((await sendS3(server.url, { path: '/uploads/followed' })).status).toBe(403);
  });

  it('a part is the file by its name alone: others may have file names and types', async () => {
    const parts = signForm({ pair: ADMIN_KEY, bucket: 'uploads', fields: { key: 'named' } });
    const answer = await sendParts([
      ...parts.map(([name, value]) =>
        formPart(name, value, { filename: 'blob', contentType: 'application/octet-stream' }),
      ),
      formPart('file', 'x'),
    ]);
    expect(answer.status, answer.text).toBe(204);
    expect((await server.read('uploads', 'named')).text).toBe('x');
  });

  it('the type of the file part is not the type of the object', async () => {
    const answer = await sendParts([
      ...signedParts({ key: 'typed' }),
      formPart('file', 'x', { filename: 'x.html', contentType: 'text/html' }),
    ]);
    expect(answer.status).toBe(204);
    const { headers } = await server.read('uploads', 'typed');
    expect(headers.get('content-type')).toBe('binary/octet-stream');
  });

  it('values may be any UTF-8, U+FFFD too', async () => {
    const key = 'ünï/😀/\ufffd/\u202e';
    expect(
      (await server.uploadSigned({ bucket: 'uploads', fields: { key } }, { file: 'x' })).status,
    ).toBe(204);
    expect((await server.read('uploads', key)).text).toBe('x');
  });
});

describe(`${FILENAME} is replaced`, () => {
  it.each([
    ['a name', 'lolcatz.jpg', 'lolcatz.jpg'],
    ['a path', '/home/betty/lolcatz.jpg', 'lolcatz.jpg'],
    ['a path of Windows', 'C:\\Program Files\\directory1\\file.txt', 'file.txt'],
    ['both', 'C:\\a/b\\c/file.txt', 'file.txt'],
    ['a path that ends in a slash', 'a/b/', ''],
    ['a name with $', "$&$1$'.txt", "$&$1$'.txt"],
    ['unicode', 'ü 😀.png', 'ü 😀.png'],
    ['dots', '..', '..'],
    ['the empty name', '', ''],
    ['none', undefined, ''],
    ['itself', FILENAME, FILENAME],
  ])('by %s', async (_name, filename, replaced) => {
    const answer = await server.uploadSigned(
      {
        bucket: 'uploads',
        fields: {
          key: `user/betty/${FILENAME}!${FILENAME}`,
          'x-amz-meta-of': FILENAME,
          'Content-Disposition': `attachment; filename="${FILENAME}"`,
        },
        conditions: [
          { bucket: 'uploads' },
          ['starts-with', '$key', 'user/betty/'],
          ['starts-with', '$x-amz-meta-of', ''],
          ['starts-with', '$content-disposition', ''],
        ],
      },
      { file: 'x', ...(filename === undefined ? {} : { filename }) },
    );
    expect(answer.status, answer.text).toBe(204);
    const read = await server.read('uploads', `user/betty/${replaced}!${replaced}`);
    expect(read.text).toBe('x');
    const disposition = read.headers.get('content-disposition') ?? '';
    expect(Buffer.from(disposition, 'latin1').toString()).toBe(
      `attachment; filename="${replaced}"`,
    );
    if (/^[ -~]*$/.test(replaced)) expect(read.headers.get('x-amz-meta-of')).toBe(replaced);
  });

  it('by nothing in the whole key: a key is needed', async () => {
    const answer = await server.uploadSigned(
      {
        bucket: 'uploads',
        fields: { key: FILENAME },
        conditions: [{ bucket: 'uploads' }, ['starts-with', '$key', '']],
      },
      { file: 'x' },
    );
    expectS3Error(answer, 400, 'InvalidArgument');
  });
});

describe('what is kept', () => {
  it('the headers and the metadata come back', async () => {
    const fields = {
      key: 'kept',
      'Cache-Control': 'max-age=60',
      'Content-Type': 'image/jpeg',
      'Content-Disposition': 'attachment; filename="a.jpg"',
      'Content-Encoding': 'gzip',
      Expires: 'Thu, 01 Dec 2094 16:00:00 GMT',
      'x-amz-meta-uuid': '14365123651274',
      'x-amz-meta-Tag': 'Some,Tag,For,Picture',
      'x-amz-storage-class': 'STANDARD_IA',
      tagging:
        '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>c</Key><Value/></Tag></TagSet></Tagging>',
    };
    const answer = await server.uploadSigned({ bucket: 'uploads', fields }, { file: 'x' });
    expect(answer.status, answer.text).toBe(204);
    for (const method of ['GET', 'HEAD']) {
      const read = await sendS3(server.url, {
        method,
        path: '/uploads/kept',
        headers: {
          authorization: `Basic ${Buffer.from('admin:correct horse').toString('base64')}`,
        },
      });
      expect(read.status).toBe(200);
      expect(Object.fromEntries(read.headers)).toMatchObject({
        'cache-control': 'max-age=60',
        'content-type': 'image/jpeg',
        'content-disposition': 'attachment; filename="a.jpg"',
        'content-encoding': 'gzip',
        expires: 'Thu, 01 Dec 2094 16:00:00 GMT',
        'x-amz-meta-uuid': '14365123651274',
        'x-amz-meta-tag': 'Some,Tag,For,Picture',
        'x-amz-storage-class': 'STANDARD_IA',
        'x-amz-tagging-count': '2',
        'content-length': '1',
        etag: `"${md5Hex('x')}"`,
        'last-modified': expect.stringMatching(/GMT$/),
      });
    }
  });

  it('a new upload keeps nothing of the old one', async () => {
    const old = {
      key: 'replaced',
      'Content-Type': 'text/css',
      'x-amz-meta-a': 'b',
      acl: 'public-read',
    };
    await server.uploadSigned({ bucket: 'uploads', fields: old }, { file: 'x' });
    expect((await sendS3(server.url, { path: '/uploads/replaced' })).status).toBe(200);
    await server.uploadSigned({ bucket: 'uploads', fields: { key: 'replaced' } }, { file: 'y' });
    const { headers } = await server.read('uploads', 'replaced');
    expect(headers.get('content-type')).toBe('binary/octet-stream');
    expect(headers.get('x-amz-meta-a')).toBeNull();
    expect((await sendS3(server.url, { path: '/uploads/replaced' })).status).toBe(403);
  });

  it('metadata of 2 KB together', async () => {
    const fields = {
      key: 'meta',
      'x-amz-meta-a': 'v'.repeat(1_023),
      'x-amz-meta-b': 'w'.repeat(1_023),
    };
    const answer = await server.uploadSigned({ bucket: 'uploads', fields }, { file: 'x' });
    expect(answer.status, answer.text).toBe(204);
    expect((await server.read('uploads', 'meta')).headers.get('x-amz-meta-a')).toBe(
      'v'.repeat(1_023),
    );
  });

  it.each([
    ['private', 'bucket-owner-read'],
    ['private', 'bucket-owner-full-control'],
    ['private', 'aws-exec-read'],
    ['public', 'public-read'],
    ['public', 'public-read-write'],
  ])('%s to strangers: the ACL %s', async (kind, acl) => {
    const fields = { key: `acl/${acl}`, acl };
    expect((await server.uploadSigned({ bucket: 'uploads', fields }, { file: 'x' })).status).toBe(
      204,
    );
    const { status } = await sendS3(server.url, { path: `/uploads/acl/${acl}` });
    expect(status).toBe(kind === 'public' ? 200 : 403);
  });

  it.each([
    ['Content-MD5', 'm6cCUB19FVE1bDwxJNFSZA=='],
    ['x-amz-checksum-crc32', 'jOvoEQ=='],
    ['x-amz-checksum-sha1', 'EfatjsUqKYSrr9fDvYVgIMfe9Ow='],
    ['x-amz-checksum-sha256', ''],
  ])('nothing where %s does not fit', async (name, value) => {
    const fields = { key: 'summed', [name]: value };
    const conditions = [{ bucket: 'refusing' }, { key: 'summed' }];
    const answer = await server.uploadSigned(
      { bucket: 'refusing', fields, conditions },
      { file: Buffer.alloc(100_000, 'z') },
    );
    expect(answer.status, answer.text).toBe(400);
    await server.expectEmptyBucket('refusing');
  });

  it.each([
    ['Content-MD5', 'b7FiHR2gS9gqaw9e0lpcmg==', undefined],
    ['x-amz-checksum-sha256', undefined, 'sha256'],
    ['x-amz-checksum-sha1', undefined, 'sha1'],
  ])('a checksum that fits: %s', async (name, _value, algorithm) => {
    const { createHash } = await import('node:crypto');
    const file = Buffer.alloc(100_000, 'z');
    const value = createHash(algorithm ?? 'md5')
      .update(file)
      .digest('base64');
    const fields = { key: `fits/${name}`, [name]: value };
    const conditions = [{ bucket: 'uploads' }, { key: fields.key }];
    const answer = await server.uploadSigned({ bucket: 'uploads', fields, conditions }, { file });
    expect(answer.status, answer.text).toBe(204);
    const { headers } = await sendS3(server.url, {
      path: `/uploads/fits/${name}`,
      headers: {
        authorization: `Basic ${Buffer.from('admin:correct horse').toString('base64')}`,
        'x-amz-checksum-mode': 'ENABLED',
      },
    });
    if (algorithm) expect(headers.get(name)).toBe(value);
  });
});

describe('what cannot be read', () => {
  it.each([
    ['too many', Array.from({ length: 2_000 }, (_, at) => `X-${at}: y`)],
    ['too large', Array.from({ length: 3 }, (_, at) => `X-${at}: ${'y'.repeat(10_000)}`)],
  ])('a part whose headers are %s, which is not passed over', async (_name, headers) => {
    // Its field would be refused: no condition covers it.
    const disposition = 'Content-Disposition: form-data; name="acl"';
    const answer = await sendParts([
      { headers: [...headers, disposition], content: 'public-read' },
      ...signedParts({ key: 'unread' }),
      formPart('file', 'x'),
    ]);
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
    expectS3Error(answer, answer.status, answer.xml['Code'] ?? '');
    await server.expectAbsent('uploads', 'unread');
  });

  it('a file name that is no UTF-8, where it would be stored as another', async () => {
    const fields = { key: `user/${FILENAME}` };
    const conditions = [{ bucket: 'uploads' }, ['starts-with', '$key', 'user/']];
    const disposition = Buffer.from(
      'Content-Disposition: form-data; name="file"; filename="\xff"',
      'latin1',
    );
    const answer = await sendParts([
      ...signForm({ pair: ADMIN_KEY, bucket: 'uploads', fields, conditions }).map(([name, value]) =>
        formPart(name, value),
      ),
      { headers: [disposition], content: 'x' },
    ]);
    expectS3Error(answer, 400, 'InvalidArgument');
  });
});

describe('what is refused', () => {
  afterEach(async () => {
    await server.expectEmptyBucket('refusing');
  });

  const missing = (name: string) => ({
    Message: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    ArgumentName: name,
  });

  it('no file', async () => {
    const answer = await sendParts(signedParts({ key: 'k' }, 'refusing'));
    expectS3Error(answer, 400, 'InvalidArgument', missing('file'));
  });

  it('a file before its fields', async () => {
    const parts = signedParts({ key: 'k' }, 'refusing');
    const answer = await sendParts([formPart('file', 'x'), ...parts]);
    expectS3Error(answer, 400, 'InvalidArgument', missing('key'));
  });

  it('no key', async () => {
    const answer = await sendParts([...signedParts({}, 'refusing'), formPart('file', 'x')]);
    expectS3Error(answer, 400, 'InvalidArgument', missing('key'));
  });

  it.each([
    ['small', 'x', 'y'],
    ['large', 'x'.repeat(200_000), 'y'.repeat(200_000)],
    ['empty', '', ''],
  ])('two files, %s', async (_name, one, other) => {
    const answer = await sendParts([
      ...signedParts({ key: 'two' }, 'refusing'),
      formPart('file', one, { filename: 'one' }),
      formPart('file', other, { filename: 'other' }),
    ]);
    expect(answer.status, answer.text).toBe(400);
    expectS3Error(answer, 400, answer.xml['Code'] ?? '');
    await expect.poll(() => server.blobs()).not.toContainEqual(expect.stringMatching(/incoming/));
  });

  it.each([
    ['one field', [['x-ignore-me', 'x'.repeat(20_481)]]],
    ['one before the key', [['x-ignore-me', 'x'.repeat(300_000)]]],
    ['many', Array.from({ length: 300 }, (_, at) => [`x-ignore-${at}`, 'y'.repeat(100)])],
  ])('fields over 20,480 bytes: %s', async (_name, fields) => {
    const answer = await sendParts([
      ...fields.map(([name = '', value = '']) => formPart(name, value)),
      ...signedParts({ key: 'k' }, 'refusing'),
      formPart('file', 'x'),
    ]);
    expectS3Error(answer, 400, 'MaxPostPreDataLengthExceeded');
  });

  it('no multipart form', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'multipart/mixed; boundary=b', '']) {
      const answer = await sendS3(server.url, {
        method: 'POST',
        path: '/refusing',
        headers: type === '' ? {} : { 'content-type': type },
        body: 'key=k&file=x',
      });
      expectS3Error(answer, 412, 'PreconditionFailed', {
        Condition: 'Bucket POST must be of the enclosure-type multipart/form-data',
      });
    }
  });

  it.each<[string, string, Record<string, string>]>([
    ['an unknown ACL', 'InvalidArgument', { acl: 'everybody' }],
    ['tagging that is not XML', 'MalformedXML', { tagging: 'a=b' }],
    ['tagging that is cut off', 'MalformedXML', { tagging: '<Tagging><TagSet>' }],
    [
      'tagging with a document type',
      'MalformedXML',
      { tagging: '<!DOCTYPE a [<!ENTITY b "c">]><Tagging/>' },
    ],
    ['an unknown storage class', 'InvalidStorageClass', { 'x-amz-storage-class': 'CARPET' }],
    ['metadata over 2 KB', 'MetadataTooLarge', { 'x-amz-meta-a': 'v'.repeat(2_048) }],
    [
      'a header with a line break',
      'InvalidArgument',
      { 'Content-Type': 'text/plain\r\nSet-Cookie: a=b' },
    ],
    ['a digest that is none', 'InvalidDigest', { 'Content-MD5': 'abc' }],
    ['a key of 1,025 bytes', 'KeyTooLongError', { key: 'k'.repeat(1_025) }],
    ['a key of 1,026 bytes in 513 characters', 'KeyTooLongError', { key: 'ü'.repeat(513) }],
    ['NUL in the key', 'InvalidArgument', { key: 'a\0b' }],
    ['an empty key', 'InvalidArgument', { key: '' }],
  ])('%s', async (_name, code, fields) => {
    const answer = await server.uploadSigned(
      { bucket: 'refusing', fields: { key: 'k', ...fields } },
      { file: 'x'.repeat(100_000) },
    );
    expectS3Error(answer, 400, code);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it.each([
    ['ends before its boundary', '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk'],
    ['has no part', '--b--\r\n'],
    ['is empty', ''],
    ['is something else', 'key=k&file=x'],
  ])('a form that %s', async (_name, body) => {
    const answer = await sendS3(server.url, {
      method: 'POST',
      path: '/refusing',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body,
    });
    expect(answer.status, answer.text).toBe(400);
    expectS3Error(answer, 400, answer.xml['Code'] ?? '');
  });

  it('a form whose file is not closed', async () => {
    const parts = [
      ...signedParts({ key: 'open' }, 'refusing'),
      formPart('file', 'x'.repeat(90_000)),
    ];
    const body = buildFormBody({ boundary: 'keystow-test-boundary', parts });
    for (const cut of [4, 30, 1_000]) {
      const answer = await sendS3(server.url, {
        method: 'POST',
        path: '/refusing',
        headers: { 'content-type': FORM_TYPE },
        body: body.subarray(0, body.length - cut),
      });
      expect([cut, answer.status], answer.text).toEqual([cut, 400]);
    }
  });

  it('a form without a boundary', async () => {
    const answer = await sendS3(server.url, {
      method: 'POST',
      path: '/refusing',
      headers: { 'content-type': 'multipart/form-data' },
      body: '--b--',
    });
    expect(answer.status).toBe(400);
    expectS3Error(answer, 400, answer.xml['Code'] ?? '');
  });
});

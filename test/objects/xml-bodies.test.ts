import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN, md5Hex, type S3Server, startS3Server } from '../support/s3-server.ts';
import { md5Base64, type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** What the calls that take XML make of what is none, or is made to harm. */

interface Call {
  readonly name: string;
  readonly method: string;
  /** `UPLOAD` is the id of an upload. */
  readonly path: string;
  /** With the name of its root and its innermost text. */
  readonly right: string;
  readonly code?: string;
}

const OWNER = '<Owner><ID>1</ID></Owner>';
const ACL = `<AccessControlPolicy>${OWNER}<AccessControlList><Grant><Grantee><ID>1</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`;

const CALLS: readonly Call[] = [
  {
    name: 'PutBucketAcl',
    method: 'PUT',
    path: '/files?acl',
    right: ACL,
    code: 'MalformedACLError',
  },
  {
    name: 'PutObjectAcl',
    method: 'PUT',
    path: '/files/kept?acl',
    right: ACL,
    code: 'MalformedACLError',
  },
  {
    name: 'PutBucketCors',
    method: 'PUT',
    path: '/files?cors',
    right:
      '<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>',
  },
  {
    name: 'PutObjectTagging',
    method: 'PUT',
    path: '/files/kept?tagging',
    right: '<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>',
  },
  {
    name: 'DeleteObjects',
    method: 'POST',
    path: '/files?delete',
    right: '<Delete><Object><Key>kept</Key></Object></Delete>',
  },
  {
    name: 'CompleteMultipartUpload',
    method: 'POST',
    path: '/files/kept?uploadId=UPLOAD',
    right: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex('part')}</ETag></Part></CompleteMultipartUpload>`,
  },
  {
    name: 'CreateBucket',
    method: 'PUT',
    path: '/made',
    right:
      '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>',
  },
];

let server: S3Server;
let send: SendSigned;
let upload = '';

beforeAll(async () => {
  server = await startS3Server();
  send = signedRequests(server);
  await server.makeBucket('files');
});

afterAll(() => server.stop());

beforeEach(async () => {
  await send('PUT', '/files/kept', { headers: { 'x-amz-tagging': 'a=b' }, body: 'kept' });
  upload = (await send('POST', '/files/kept?uploads')).xml['UploadId'] ?? '';
  await send('PUT', `/files/kept?partNumber=1&uploadId=${upload}`, { body: 'part' });
});

async function state(): Promise<string> {
  const answers = [
    await send('GET', '/files/kept'),
    await send('GET', '/files/kept?acl'),
    await send('GET', '/files/kept?tagging'),
    await send('GET', `/files/kept?uploadId=${upload}`),
    await send('GET', '/files?acl'),
    await send('GET', '/files?uploads'),
    await send('GET', '/files?list-type=2'),
    await send('GET', '/'),
  ];
  const cors = await send('GET', '/files?cors');
  return [...answers.map(({ status, text }) => `${status} ${text}`), cors.xml['Code']].join('\n');
}

describe.each(CALLS)('$name', ({ method, path, right, code = 'MalformedXML' }) => {
  /** As bytes, and with a Content-MD5, which DeleteObjects asks for. */
  function sendBody(
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<S3Answer> {
    const bytes = Buffer.from(body);
    return sendS3(server.url, {
      method,
      path: path.replace('UPLOAD', upload),
      headers: {
        ...AS_ADMIN,
        'content-md5': Buffer.from(md5Hex(bytes), 'hex').toString('base64'),
        ...headers,
      },
      body: bytes,
    });
  }

  const root = /^<(\w+)>/.exec(right)?.[1] ?? '';
  /** With something in the place of its first text. */
  const withText = (text: string) => right.replace(/>[^<]+</, `>${text}<`);
  const declared = (subset: string, text: string) =>
    `<!DOCTYPE ${root} [${subset}]>${withText(text)}`;

  const hostile: readonly [name: string, body: string][] = [
    ['no XML', 'no XML'],
    ['JSON', '{"a":1}'],
    ['half of it', right.slice(0, right.length / 2)],
    ['another root', right.replaceAll(root, 'Other')],
    ['its own root within another', `<Other>${right}</Other>`],
    ['two of it', right + right],
    ['something behind it', `${right}x`],
    ['a document type', `<!DOCTYPE ${root}>${right}`],
    ['an entity', declared('<!ENTITY e "kept">', '&e;')],
    ['a file as an entity', declared('<!ENTITY e SYSTEM "file:///etc/passwd">', '&e;')],
    ['an URL as an entity', declared('<!ENTITY e SYSTEM "http://127.0.0.1:1/">', '&e;')],
    ['a parameter entity', declared('<!ENTITY % e SYSTEM "file:///etc/passwd"> %e;', 'x')],
    [
      'a billion laughs',
      declared(
        `<!ENTITY a0 "lol">${Array.from({ length: 9 }, (_, at) => `<!ENTITY a${at + 1} "${`&a${at};`.repeat(10)}">`).join('')}`,
        '&a9;',
      ),
    ],
    ['an unknown entity', withText('&nbsp;')],
    ['a control character', withText('&#1;')],
    ['deep nesting', '<a>'.repeat(1_000) + '</a>'.repeat(1_000)],
    ['deep nesting within', withText('<a>'.repeat(1_000) + '</a>'.repeat(1_000))],
    ['an open tag alone', '<a'.repeat(1_000)],
    ['many attributes', right.replace('>', ` ${'a="b" '.repeat(100)}>`)],
  ];

  it('refuses what is no such document, and nothing is done', async () => {
    const before = await state();
    for (const [name, body] of hostile) {
      const answer = await sendBody(body);
      expect([name, answer.xml['Code']]).toEqual([name, code]);
      expectS3Error(answer, 400, code);
    }
    expect(await state()).toBe(before);
  });

  it('refuses what is not UTF-8', async () => {
    const before = await state();
    for (const bytes of [
      Buffer.from(withText('\xff'), 'latin1'),
      Buffer.from(right, 'utf16le'),
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(right, 'utf16le')]),
    ]) {
      const answer = await sendBody(bytes);
      expectS3Error(answer, 400, answer.xml['Code'] === code ? code : 'MalformedXML');
    }
    expect(await state()).toBe(before);
  });

  it('refuses what is too long, before and while it comes', async () => {
    const before = await state();
    const long = `${right}${' '.repeat(5 * 1_048_576)}`;
    const whole = await sendBody(long);
    expectS3Error(whole, 400, 'MaxMessageLengthExceeded', {
      MaxMessageLengthBytes: expect.stringMatching(/^\d+$/),
    });
    const chunked = await sendS3(server.url, {
      method,
      path: path.replace('UPLOAD', upload),
      headers: { ...AS_ADMIN, 'content-md5': md5Base64(long) },
      body: [Buffer.from(right), Buffer.alloc(5 * 1_048_576, ' ')],
    });
    expectS3Error(chunked, 400, 'MaxMessageLengthExceeded');
    expect(await state()).toBe(before);
  });

  it('refuses what is not as it was said to be', async () => {
    const before = await state();
    const other = md5Base64('other');
    expectS3Error(await sendBody(right, { 'content-md5': other }), 400, 'BadDigest');
    expectS3Error(await sendBody(right, { 'content-md5': 'no base64' }), 400, 'InvalidDigest');
    const signed = await send(method, path.replace('UPLOAD', upload), {
      headers: { 'content-md5': other },
      body: right,
    });
    expectS3Error(signed, 400, 'BadDigest');
    const sha256 = { 'x-amz-content-sha256': '0'.repeat(64) };
    expectS3Error(await sendBody(right, sha256), 400, 'XAmzContentSHA256Mismatch');
    if (root !== 'CompleteMultipartUpload') {
      const crc = { 'x-amz-checksum-crc32': 'AAAAAA==' };
      expectS3Error(await sendBody(right, crc), 400, 'BadDigest');
    }
    expect(await state()).toBe(before);
  });

  it('takes a declaration, a namespace, comments and references to characters', async () => {
    const letter =
      /<(?:Key|PartNumber|ID|AllowedMethod|LocationConstraint)>(.)/.exec(right)?.[1] ?? '';
    const spaced = right
      .replace(
        `<${root}>`,
        `\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a --><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n`,
      )
      .replace(`>${letter}`, `>&#x${letter.charCodeAt(0).toString(16)};`);
    const answer = await sendBody(spaced);
    // The ACL is another's, as it was meant to be.
    if (code === 'MalformedACLError') expectS3Error(answer, 403, 'AccessDenied');
    else
      expect([answer.status, answer.text], answer.text).toEqual([
        200,
        expect.not.stringContaining('Error'),
      ]);
    if (path.includes('?cors')) await send('DELETE', '/files?cors');
    if (path === '/made') await send('DELETE', '/made');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, type S3Answer, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import type { KeyPair } from '../support/sign-form.ts';
import { headersV4, presignV4, type ToSign } from '../support/sign-request.ts';
import { md5Base64, type SendSigned, signedRequests } from '../support/signed-requests.ts';

/** What is wrong with a request, whichever call it is: told as S3 tells it, and nothing is done. */

const QUARTER = 15 * 60_000;
const DELETE = '<Delete><Object><Key>kept</Key></Object></Delete>';
const RULES =
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';

interface Call {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One of each kind: with a body and without, of the service, a bucket and an object. */
const CALLS: readonly Call[] = [
  { name: 'ListBuckets', method: 'GET', path: '/' },
  { name: 'CreateBucket', method: 'PUT', path: '/made' },
  { name: 'ListObjectsV2', method: 'GET', path: '/files?list-type=2' },
  { name: 'PutBucketCors', method: 'PUT', path: '/files?cors', body: RULES },
  {
    name: 'PutBucketAcl',
    method: 'PUT',
    path: '/files?acl',
    headers: { 'x-amz-acl': 'public-read' },
  },
  {
    name: 'DeleteObjects',
    method: 'POST',
    path: '/files?delete',
    body: DELETE,
    headers: { 'content-md5': md5Base64(DELETE) },
  },
  { name: 'PutObject', method: 'PUT', path: '/files/kept', body: 'other' },
  { name: 'DeleteObject', method: 'DELETE', path: '/files/kept' },
  { name: 'GetObjectTagging', method: 'GET', path: '/files/kept?tagging' },
  {
    name: 'CopyObject',
    method: 'PUT',
    path: '/files/copy',
    headers: { 'x-amz-copy-source': '/files/kept' },
  },
  { name: 'CreateMultipartUpload', method: 'POST', path: '/files/kept?uploads' },
];

let now = Date.now();
let server: S3Server;
let signed: SendSigned;

beforeAll(async () => {
  server = await startS3Server({}, { now: () => now });
  signed = signedRequests(server);
  await server.makeBucket('files');
  await signed('PUT', '/files/kept', { body: 'kept', time: now });
});

afterAll(() => server.stop());

async function state(): Promise<string> {
  const answers = [
    await signed('GET', '/files/kept', { time: now }),
    await signed('GET', '/files?list-type=2', { time: now }),
    await signed('GET', '/files?uploads', { time: now }),
    await signed('GET', '/files?acl', { time: now }),
    await signed('GET', '/', { time: now }),
  ];
  return answers.map(({ status, text }) => `${status} ${text}`).join('\n');
}

function toSign(call: Call, more: Partial<ToSign> = {}): ToSign {
  const { name: _name, ...request } = call;
  return { pair: ADMIN_KEY, host: server.host, time: now, ...request, ...more };
}

/** With other headers than those that were signed; undefined takes one away. */
function sendWith(
  call: Call,
  more: Partial<ToSign> = {},
  changed: Record<string, string | undefined> = {},
): Promise<S3Answer> {
  const headers = Object.entries({ ...headersV4(toSign(call, more)), ...changed });
  return sendS3(server.url, {
    method: call.method,
    path: call.path,
    headers: Object.fromEntries(
      headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    ...(call.body === undefined ? {} : { body: call.body }),
  });
}

describe.each(CALLS)('$name', (call) => {
  async function expectRefused(
    answer: Promise<S3Answer>,
    status: number,
    code: string,
    members: Record<string, unknown> = {},
  ): Promise<void> {
    const refusal = await answer;
    expectS3Error(refusal, status, code, members);
    expect(refusal.text).not.toContain(ADMIN_KEY.secretAccessKey);
    expect(refusal.text).not.toContain(server.dataDir);
  }

  it('is refused for what is wrong with its signature', async () => {
    const before = await state();
    const with_ = (changed: Record<string, string | undefined>) => sendWith(call, {}, changed);
    const { authorization = '' } = headersV4(toSign(call));
    const edited = (from: string | RegExp, to: string) =>
      with_({ authorization: authorization.replace(from, to) });
    const unknown: KeyPair = { accessKeyId: 'AKIDNOBODY0000000000', secretAccessKey: 'x' };

    await expectRefused(
      sendWith(call, { pair: { ...ADMIN_KEY, secretAccessKey: 'wrong' } }),
      403,
      'SignatureDoesNotMatch',
      {
        AWSAccessKeyId: ADMIN_KEY.accessKeyId,
        SignatureProvided: expect.stringMatching(/^\w{64}$/),
      },
    );
    await expectRefused(edited(/.$/, 'x'), 403, 'SignatureDoesNotMatch');
    await expectRefused(sendWith(call, { pair: unknown }), 403, 'InvalidAccessKeyId', {
      AWSAccessKeyId: unknown.accessKeyId,
    });
    const token = { headers: { ...call.headers, 'x-amz-security-token': 'none of ours' } };
    await expectRefused(sendWith(call, token), 400, 'InvalidToken');
    for (const [from, to] of [
      ['/s3/aws4_request', '/ec2/aws4_request'],
      ['/s3/aws4_request', '/s3/aws5_request'],
      ['/s3/aws4_request', '/s3'],
      [/\/\d{8}\//, '/20000101/'],
      [/SignedHeaders=[^,]*, /, ''],
      [/, Signature=.*$/, ''],
    ] as const) {
      await expectRefused(edited(from, to), 400, 'AuthorizationHeaderMalformed');
    }
    await expectRefused(edited('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA512'), 400, 'InvalidArgument');
    await expectRefused(with_({ 'x-amz-date': undefined }), 403, 'AccessDenied', {
      Message: 'AWS authentication requires a valid Date or x-amz-date header',
    });
    await expectRefused(with_({ 'x-amz-date': 'yesterday' }), 403, 'AccessDenied');
    await expectRefused(with_({ 'x-amz-content-sha256': undefined }), 400, 'InvalidRequest', {
      Message: 'Missing required header for this request: x-amz-content-sha256',
    });
    await expectRefused(with_({ 'x-amz-content-sha256': 'none' }), 400, 'InvalidArgument');
    await expectRefused(
      with_({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }),
      403,
      'SignatureDoesNotMatch',
    );
    await expectRefused(with_({ 'x-amz-meta-added': '1' }), 403, 'AccessDenied', {
      Message: 'There were headers present in the request which were not signed',
      HeadersNotSigned: 'x-amz-meta-added',
    });
    await expectRefused(edited(/(SignedHeaders=[^,]*?)host;/, '$1'), 403, 'AccessDenied');
    expect(await state()).toBe(before);
  });

  it('is refused with a clock that is off by more than 15 minutes', async () => {
    const before = await state();
    for (const off of [-1, 1]) {
      const time = Math.floor(now / 1_000) * 1_000 + off * (QUARTER + 2_000);
      await expectRefused(sendWith(call, { time }), 403, 'RequestTimeTooSkewed', {
        RequestTime: expect.stringMatching(/^\d{8}T\d{6}Z$/),
        ServerTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
        MaxAllowedSkewMilliseconds: String(QUARTER),
      });
    }
    expect(await state()).toBe(before);
  });

  it('by an URL is refused once it has expired', async () => {
    const before = await state();
    const request = toSign(call, { expires: 60 });
    const send = (path: string) =>
      sendS3(server.url, {
        method: call.method,
        path,
        headers: call.headers ?? {},
        ...(call.body === undefined ? {} : { body: call.body }),
      });
    const path = presignV4(request);
    const sentAt = now;
    try {
      now += 61_000;
      await expectRefused(send(path), 403, 'AccessDenied', {
        Message: 'Request has expired',
        Expires: expect.stringMatching(/^\d{4}-/),
      });
    } finally {
      now = sentAt;
    }
    expect(await state()).toBe(before);
  });
});

it.each(CALLS.filter(({ body }) => body !== undefined))(
  '$name has the body that was signed',
  async (call) => {
    const before = await state();
    const body = `${call.body} `;
    const signedHeaders = headersV4(toSign(call));
    // Of the body that comes, where it is said: only the signature knows another.
    const md5 = signedHeaders['content-md5'] ? { 'content-md5': md5Base64(body) } : {};
    const headers = headersV4(toSign({ ...call, headers: { ...call.headers, ...md5 } }));
    const { method, path } = call;
    const answer = await sendS3(server.url, { method, path, headers, body });
    expectS3Error(answer, 400, 'XAmzContentSHA256Mismatch');
    expect(await state()).toBe(before);
  },
);

describe('every answer', () => {
  it.each([
    ['GET', '/files/kept', 200],
    ['HEAD', '/files/kept', 200],
    ['PUT', '/files/written', 200],
    ['DELETE', '/files/written', 204],
    ['GET', '/files', 200],
    ['GET', '/files?acl', 200],
    ['GET', '/files?cors', 404],
    ['GET', '/files/absent', 404],
    ['HEAD', '/files/absent', 404],
    ['HEAD', '/no-such-bucket', 404],
    ['HEAD', '/files/kept?policy', 501],
    ['HEAD', '/Upper/k', 404],
    ['PATCH', '/files/kept', 405],
    ['GET', '/files/%zz', 400],
    ['HEAD', '/files/%ff', 400],
  ] as const)(
    'to %s %s has its ids, and no body where there must be none',
    async (method, path, status) => {
      const body = method === 'PUT' ? { body: 'x' } : {};
      const answers = [1, 2].map(() =>
        sendS3(server.url, { method, path, headers: AS_ADMIN, ...body }),
      );
      const [one, two] = await Promise.all(answers);
      expect([one?.status, two?.status]).toEqual([status, status]);
      const ids = [one, two].map((answer) => answer?.headers.get('x-amz-request-id'));
      expect(new Set(ids).size).toBe(2);
      for (const answer of [one, two]) {
        expect(answer?.headers.get('x-amz-request-id')).toMatch(/^[\w-]+$/);
        expect(answer?.headers.get('x-amz-id-2')).toMatch(/^[\w+/=]+$/);
        expect(answer?.headers.get('x-content-type-options')).toBe('nosniff');
        expect(answer?.headers.get('server')).toBeNull();
        expect(answer?.headers.get('x-powered-by')).toBeNull();
        if (method === 'HEAD' || status === 204) expect(answer?.text).toBe('');
        if (method !== 'HEAD' && status >= 400) {
          expectS3Error(answer as S3Answer, status, answer?.xml['Code'] ?? '', {
            Resource: path.replace(/\?.*/, ''),
          });
        }
      }
    },
  );

  it('takes a clock that is off by less than 15 minutes', async () => {
    for (const off of [-1, 1]) {
      const time = now + off * (QUARTER - 5_000);
      expect((await signed('GET', '/files?acl', { time })).status).toBe(200);
    }
  });

  it('takes any region', async () => {
    const call = { name: 'ListObjectsV2', method: 'GET', path: '/files?list-type=2' };
    for (const region of ['eu-central-1', 'auto']) {
      expect((await sendWith(call, { region })).status).toBe(200);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { expectS3Error, readMembers, type S3Answer } from '../support/s3-client.ts';
import { ADMIN_KEY, FORM_TYPE, formBody, type Upload } from '../support/s3-server.ts';
import { type Pairs, type SignedForm, signForm } from '../support/sign-form.ts';
import { keyOf, type SaveServer, startSaveServer } from './save-server.ts';

/** In a bucket with saves every 400 of a form is a 403 with the same code, however the bucket is named. */

const BUCKET = 'saves';
const MAX_UPLOAD_BYTES = 200_000;
const KEY = keyOf(1);

let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer({ MAX_UPLOAD_BYTES: String(MAX_UPLOAD_BYTES) });
  await server.makeSaves(BUCKET);
});

afterAll(() => server.stop());

type Fields = Readonly<Record<string, string>>;

/** How a form says its bucket: the fields before all others, and the rest of the request. */
const addresses: Readonly<Record<string, { fields: Fields; upload: Omit<Upload, 'pairs'> }>> = {
  path: { fields: {}, upload: { path: `/${BUCKET}` } },
  Host: { fields: {}, upload: { headers: { host: `${BUCKET}.localhost` } } },
  'form field': { fields: { bucket: BUCKET }, upload: {} },
  policy: { fields: {}, upload: {} },
};

interface Refused {
  readonly code: string;
  readonly form?: Partial<SignedForm>;
  readonly fields?: Fields;
  readonly file?: string | Buffer;
  readonly change?: (pairs: Pairs) => Pairs;
}

const without =
  (...names: string[]) =>
  (pairs: Pairs): Pairs =>
    pairs.filter(([name]) => !names.includes(name));

const range = (min: number, max: number) => ({ more: [['content-length-range', min, max]] });
const EXPIRATION = new Date(Date.now() + 3_600_000).toISOString();

function policyOf(...conditions: unknown[]): Partial<SignedForm> {
  const all = [{ bucket: BUCKET }, { key: KEY }, ...conditions];
  return { policy: JSON.stringify({ expiration: EXPIRATION, conditions: all }) };
}

/** Whatever names the bucket is readable in all of these. */
const refused: Readonly<Record<string, Refused>> = {
  'too large': { code: 'EntityTooLarge', form: range(1, 3), file: 'four' },
  'too large, in a file': {
    code: 'EntityTooLarge',
    form: range(1, 100_000),
    file: Buffer.alloc(150_000),
  },
  'too small': { code: 'EntityTooSmall', form: range(5, 9), file: 'four' },
  'over the limit of the server': {
    code: 'EntityTooLarge',
    file: Buffer.alloc(MAX_UPLOAD_BYTES + 1),
  },
  'without a key': { code: 'InvalidArgument', change: without('key') },
  'without a signature': { code: 'InvalidArgument', change: without('signature') },
  'without a key id': { code: 'InvalidArgument', change: without('AWSAccessKeyId') },
  'with an unknown acl': { code: 'InvalidArgument', fields: { acl: 'everybody' } },
  'with a tag set that is no XML': { code: 'MalformedXML', fields: { tagging: 'a=b' } },
  'with another MD5': {
    code: 'BadDigest',
    fields: { 'content-md5': Buffer.alloc(16).toString('base64') },
  },
  'with a broken MD5': { code: 'InvalidDigest', fields: { 'content-md5': 'x' } },
  'with too much metadata': {
    code: 'MetadataTooLarge',
    fields: { 'x-amz-meta-a': 'm'.repeat(2_100) },
  },
  'with an unknown storage class': {
    code: 'InvalidStorageClass',
    fields: { 'x-amz-storage-class': 'SHOEBOX' },
  },
  'with fields that are too long': {
    code: 'MaxPostPreDataLengthExceeded',
    change: (pairs) => [...pairs, ['x-ignore-a', 'i'.repeat(21_000)]],
  },
  'with an empty key': {
    code: 'InvalidArgument',
    form: { conditions: [{ bucket: BUCKET }, ['starts-with', '$key', '']] },
    fields: { key: '' },
  },
  'with a key that is too long': { code: 'KeyTooLongError', fields: { key: 'k'.repeat(1_025) } },
};

const badPolicies: Readonly<Record<string, Partial<SignedForm>>> = {
  'that is not base64': { policy: '*', isEncoded: true },
  'that is not JSON': { policy: 'no' },
  'without an expiration': { policy: JSON.stringify({ conditions: [{ bucket: BUCKET }] }) },
  'with an unreadable date': {
    policy: JSON.stringify({ expiration: 'soon', conditions: [{ bucket: BUCKET }] }),
  },
  'without conditions': { policy: JSON.stringify({ expiration: EXPIRATION }) },
  'with an unknown operator': policyOf(['ends-with', '$key', '']),
  'with too few arguments': policyOf(['eq', '$key']),
  'with a negative range': policyOf(['content-length-range', -1, 5]),
  'with a condition of two properties': policyOf({ acl: 'private', a: 'b' }),
};

async function send(address: string, { form, fields, file = 'four', change }: Refused) {
  const { fields: first, upload } = addresses[address] ?? { fields: {}, upload: {} };
  const signed = signForm({
    pair: ADMIN_KEY,
    bucket: BUCKET,
    fields: { ...first, key: KEY, ...fields },
    ...form,
  });
  return server.upload({ ...upload, pairs: change?.(signed) ?? signed, file });
}

async function expectRefused(answer: S3Answer, code: string): Promise<void> {
  expectS3Error(answer, 403, code);
  await server.expectAbsent(BUCKET, KEY);
  expect(await server.blobs()).toEqual([]);
}

describe.each(Object.keys(addresses))('a bucket named by %s', (address) => {
  it.each(Object.entries(refused))('refuses a form %s', async (_name, form) => {
    await expectRefused(await send(address, form), form.code);
  });

  it('refuses a form without a file, or with two', async () => {
    const { fields, upload } = addresses[address] ?? { fields: {}, upload: {} };
    const pairs = signForm({ pair: ADMIN_KEY, bucket: BUCKET, fields: { ...fields, key: KEY } });
    await expectRefused(await server.upload({ ...upload, pairs }), 'InvalidArgument');
    const two: Pairs = [...pairs, ['file', 'one']];
    const answer = await server.upload({ ...upload, pairs: two, file: 'two' });
    await expectRefused(answer, 'IncorrectNumberOfFilesInPostRequest');
  });

  it('refuses a form that ends before its closing boundary', async () => {
    const { fields, upload } = addresses[address] ?? { fields: {}, upload: {} };
    const pairs = signForm({ pair: ADMIN_KEY, bucket: BUCKET, fields: { ...fields, key: KEY } });
    const body = formBody(pairs, 'bytes').subarray(0, -10);
    const raw = await openRaw(server.url);
    raw.send(
      `POST ${upload.path ?? '/'} HTTP/1.1\r\nHost: ${upload.headers?.['host'] ?? 'localhost'}\r\n` +
        `Content-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    raw.send(body);
    const answer = await raw.answer();
    raw.destroy();
    expect(answer.status, answer.text).toBe(403);
    expect(readMembers(answer.text)).toMatchObject({ Code: 'MalformedPOSTRequest' });
  });

  it('refuses what is announced to be far too large', async () => {
    const file = Buffer.alloc(MAX_UPLOAD_BYTES + 300_000);
    await expectRefused(await send(address, { code: '', file }), 'EntityTooLarge');
  });

  it('answers what is not a 400 as elsewhere', async () => {
    const wrong = (pairs: Pairs): Pairs =>
      pairs.map(([name, value]) => [name, name === 'signature' ? 'bm8=' : value]);
    expectS3Error(await send(address, { code: '', change: wrong }), 403, 'SignatureDoesNotMatch');
    const unknown = { pair: { accessKeyId: 'NOBODY', secretAccessKey: 's' } };
    expectS3Error(await send(address, { code: '', form: unknown }), 403, 'InvalidAccessKeyId');
    const expired = { expiration: '2022-10-30T15:23:18.989274Z' };
    expectS3Error(await send(address, { code: '', form: expired }), 403, 'AccessDenied', {
      Message: 'Invalid according to Policy: Policy expired.',
    });
  });
});

describe.each(Object.keys(addresses))('a bucket named by %s', (address) => {
  const isReadable = ([, { policy = '', isEncoded }]: [string, Partial<SignedForm>]): boolean =>
    !isEncoded && policy.includes(BUCKET);
  const policies = Object.entries(badPolicies);
  // What says the bucket has to be readable.
  it.each(address === 'policy' ? policies.filter(isReadable) : policies)(
    'refuses a policy %s',
    async (_name, form) => {
      await expectRefused(await send(address, { code: '', form }), 'InvalidPolicyDocument');
    },
  );
});

it('what is no form is told as elsewhere', async () => {
  const answer = await server.upload({
    path: `/${BUCKET}`,
    pairs: [],
    headers: { 'content-type': 'application/json' },
  });
  expectS3Error(answer, 412, 'PreconditionFailed');
});

it('beside it, a bucket without saves answers 400', async () => {
  await server.makeBucket('plain');
  const form = { bucket: 'plain', fields: { key: 'k' }, more: [['content-length-range', 5, 9]] };
  expectS3Error(await server.uploadSigned(form, { file: 'four' }), 400, 'EntityTooSmall');
});

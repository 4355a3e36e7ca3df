import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error, sendS3 } from '../support/s3-client.ts';
import { ADMIN_KEY, AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { type KeyPair, type Pairs, signForm } from '../support/sign-form.ts';

/** What the server keeps in memory of one form never decides about the next. */

const HOUR_MS = 3_600_000;
let server: S3Server;
let later = 0;

beforeAll(async () => {
  server = await startS3Server({}, { now: () => Date.now() + later });
});

afterAll(() => server.stop());

function sign(bucket: string, pair: KeyPair = ADMIN_KEY, more: object = {}): Pairs {
  return signForm({ pair, version: 'v4', bucket, fields: { key: 'k' }, ...more });
}

function post(bucket: string, pairs: Pairs) {
  return server.upload({ path: `/${bucket}`, pairs, file: 'bytes' });
}

/** Twice: the second time everything of it is kept. */
async function expectStored(bucket: string, pairs: Pairs): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    const { status, text } = await post(bucket, pairs);
    expect(status, text).toBe(204);
  }
}

describe('the very next form is refused', () => {
  it('once its access key was removed, and with a new key of the same id', async () => {
    await server.makeBucket('keys');
    const pair = await server.makeMember('signer', [{ prefix: 'keys/', access: 'write' }]);
    const form = sign('keys', pair);
    await expectStored('keys', form);
    const removed = await server.admin('DELETE', `/api/access-keys/${pair.accessKeyId}`);
    expect(removed.status).toBe(204);
    expectS3Error(await post('keys', form), 403, 'InvalidAccessKeyId');
    const other = { ...pair, secretAccessKey: 'another-secret' };
    const made = await server.admin('POST', '/api/access-keys', other);
    expect(made.status, made.text).toBe(201);
    expectS3Error(await post('keys', form), 403, 'SignatureDoesNotMatch');
    await expectStored('keys', sign('keys', other));
  });

  it('once its user lost the grant, until it is given back, and once the user was removed', async () => {
    await server.makeBucket('grants');
    const grants = [{ prefix: 'grants/', access: 'write' }];
    const pair = await server.makeMember('granted', [{ prefix: 'grants/', access: 'write' }]);
    const form = sign('grants', pair);
    await expectStored('grants', form);
    await server.admin('PUT', '/api/users/granted', { role: 'member', grants: [] });
    expectS3Error(await post('grants', form), 403, 'AccessDenied');
    await server.admin('PUT', '/api/users/granted', { role: 'member', grants });
    await expectStored('grants', form);
    expect((await server.admin('DELETE', '/api/users/granted')).status).toBe(204);
    expectS3Error(await post('grants', form), 403, 'InvalidAccessKeyId');
  });

  it('once the ACL of its bucket was changed, until it is changed back', async () => {
    await server.makeBucket('open', 'public-read-write');
    const form: Pairs = [['key', 'k']];
    await expectStored('open', form);
    await server.makeBucket('open', 'private');
    expectS3Error(await post('open', form), 403, 'AccessDenied');
    await server.makeBucket('open', 'public-read-write');
    await expectStored('open', form);
  });

  it('once its bucket was removed, until there is one again', async () => {
    await server.makeBucket('gone');
    const form = sign('gone');
    await expectStored('gone', form);
    await server.admin('DELETE', '/gone/k');
    expect((await server.admin('DELETE', '/api/buckets/gone')).status).toBe(204);
    expectS3Error(await post('gone', form), 404, 'NoSuchBucket');
    await server.makeBucket('gone');
    await expectStored('gone', form);
  });

  it('once its bucket takes saves alone', async () => {
    await server.makeBucket('saved');
    const form = sign('saved');
    await expectStored('saved', form);
    await server.admin('PUT', '/api/buckets/saved', { saves: true });
    expectS3Error(await post('saved', form), 403, 'AccessDenied');
  });

  it('once its policy, posted before, has expired', async () => {
    await server.makeBucket('expiring');
    const form = sign('expiring');
    await expectStored('expiring', form);
    later = 2 * HOUR_MS;
    const { xml } = await post('expiring', form);
    later = 0;
    expect(xml['Message']).toBe('Invalid according to Policy: Policy expired.');
  });

  it('with the policy of a stored one, where another field or signature comes with it', async () => {
    await server.makeBucket('policies');
    const form = sign('policies');
    await expectStored('policies', form);
    const renamed = form.map(([name, value]) => [name, name === 'key' ? 'other' : value] as const);
    expectS3Error(await post('policies', renamed), 403, 'AccessDenied');
    expectS3Error(await post('policies', [...form, ['acl', 'public-read']]), 403, 'AccessDenied');
    const forged = form.map(
      ([name, value]) =>
        [name, name === 'x-amz-signature' ? value.replace(/./g, '0') : value] as const,
    );
    expectS3Error(await post('policies', forged), 403, 'SignatureDoesNotMatch');
  });
});

it('forms of two regions and days are verified in turns', async () => {
  await server.makeBucket('scopes');
  const forms = [
    sign('scopes', ADMIN_KEY, { region: 'us-east-1' }),
    sign('scopes', ADMIN_KEY, { region: 'eu-central-1' }),
    sign('scopes', ADMIN_KEY, { amzDate: '20200101T000000Z' }),
  ];
  for (const form of [...forms, ...forms]) await expectStored('scopes', form);
});

it("a bucket's CORS rules hold for the very next answer", async () => {
  await server.makeBucket('pages');
  const form = sign('pages');
  await expectStored('pages', form);
  const allowed = async (): Promise<string | null> =>
    (await post('pages', form)).headers.get('access-control-allow-origin');
  expect(await allowed()).toBe('*');
  const rules =
    '<CORSConfiguration><CORSRule><AllowedOrigin>https://page.example</AllowedOrigin><AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>';
  const put = await sendS3(server.url, {
    method: 'PUT',
    path: '/pages?cors',
    headers: AS_ADMIN,
    body: Buffer.from(rules),
  });
  expect(put.status, put.text).toBe(200);
  expect(await allowed()).toBeNull();
});

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { ADMIN_KEY, type S3Server, startS3Server } from '../support/s3-server.ts';
import { amzDateOf, inOneHour, type KeyPair, type Pairs, signForm } from '../support/sign-form.ts';

/** Who signed a form, and what of its signature may be wrong. */

let server: S3Server;
const VERSIONS = ['v2', 'v4'] as const;
const SIGNATURES: string[] = [];

beforeAll(async () => {
  server = await startS3Server({ LOG_LEVEL: 'trace' });
  await server.makeBucket('signed');
});

afterAll(() => server.stop());

function sign(version: 'v2' | 'v4', more: Partial<Parameters<typeof signForm>[0]> = {}): Pairs {
  const pairs = signForm({
    pair: ADMIN_KEY,
    version,
    bucket: 'signed',
    fields: { key: 'k' },
    ...more,
  });
  const signature = pairs.find(([name]) => /signature$/i.test(name))?.[1];
  if (signature) SIGNATURES.push(signature);
  return pairs;
}

function without(pairs: Pairs, names: readonly string[]): Pairs {
  return pairs.filter(([name]) => !names.includes(name.toLowerCase()));
}

function change(pairs: Pairs, name: string, value: string): Pairs {
  return pairs.map(([other, old]) => [other, other.toLowerCase() === name ? value : old]);
}

function upload(pairs: Pairs, path = '/signed') {
  return server.upload({ pairs, path, file: 'bytes' });
}

describe.each(VERSIONS)('a form of version %s', (version) => {
  it('is stored when the signature fits', async () => {
    expect((await upload(sign(version))).status).toBe(204);
    await server.admin('DELETE', '/signed/k');
  });

  it('may have the empty security token, in the form and in the policy', async () => {
    const answer = await upload(sign(version, { securityToken: '' }));
    expect(answer.status, answer.text).toBe(204);
    await server.admin('DELETE', '/signed/k');
  });

  it('is refused with a wrong signature, and told what to sign', async () => {
    const pairs = sign(version, { pair: { ...ADMIN_KEY, secretAccessKey: 'another secret' } });
    const policy = pairs.find(([name]) => name === 'policy')?.[1] ?? '';
    const signature = pairs.at(-1)?.[1];
    expectS3Error(await upload(pairs), 403, 'SignatureDoesNotMatch', {
      Message:
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      AWSAccessKeyId: ADMIN_KEY.accessKeyId,
      StringToSign: policy,
      StringToSignBytes: Buffer.from(policy)
        .toString('hex')
        .replace(/..(?!$)/g, '$& '),
      SignatureProvided: signature,
    });
    await server.expectEmptyBucket('signed');
  });

  it('is refused when the policy was changed', async () => {
    const other = sign(version, { fields: { key: 'k', acl: 'public-read' } });
    const policy = other.find(([name]) => name === 'policy')?.[1] ?? '';
    expectS3Error(
      await upload(change(sign(version), 'policy', policy)),
      403,
      'SignatureDoesNotMatch',
    );
    await server.expectEmptyBucket('signed');
  });

  it('is refused with an access key that nobody has', async () => {
    const pair = { ...ADMIN_KEY, accessKeyId: 'AKIDNOBODY0000000000' };
    expectS3Error(await upload(sign(version, { pair })), 403, 'InvalidAccessKeyId', {
      Message: 'The AWS Access Key Id you provided does not exist in our records.',
      AWSAccessKeyId: pair.accessKeyId,
    });
    await server.expectEmptyBucket('signed');
  });

  it.each(['', '../users/admin', 'a'.repeat(129), 'ü', '%00'])(
    'is refused with the access key id %j',
    async (accessKeyId) => {
      const { status, xml } = await upload(sign(version, { pair: { ...ADMIN_KEY, accessKeyId } }));
      expect([400, 403]).toContain(status);
      expect(xml['Code']).toMatch(/^(InvalidAccessKeyId|InvalidArgument)$/);
      await server.expectEmptyBucket('signed');
    },
  );

  it('is refused with a session token, as these keys are none of a session', async () => {
    const { status } = await upload(sign(version, { securityToken: 'token' }));
    expect([400, 403]).toContain(status);
    await server.expectEmptyBucket('signed');
  });

  it('is refused when it has a policy and nothing else of it', async () => {
    const names = [
      'signature',
      'awsaccesskeyid',
      'x-amz-signature',
      'x-amz-algorithm',
      'x-amz-credential',
      'x-amz-date',
    ];
    expectS3Error(await upload(without(sign(version), names)), 403, 'AccessDenied', {
      Message: 'Access Denied',
    });
    await server.expectEmptyBucket('signed');
  });

  it('is refused without its policy', async () => {
    expectS3Error(await upload(without(sign(version), ['policy'])), 400, 'InvalidArgument', {
      Message: expect.stringMatching(
        /^Bucket POST must contain a field named 'policy'\. {2}If it is specified, please check the order of the fields\.$/i,
      ),
    });
    await server.expectEmptyBucket('signed');
  });
});

describe('an authentication field that is missing', () => {
  it.each([
    ['v2', 'Signature'],
    ['v2', 'AWSAccessKeyId'],
    ['v4', 'X-Amz-Signature'],
    ['v4', 'X-Amz-Algorithm'],
    ['v4', 'X-Amz-Credential'],
    ['v4', 'X-Amz-Date'],
  ] as const)('%s: %s', async (version, name) => {
    const answer = await upload(without(sign(version), [name.toLowerCase()]));
    expectS3Error(answer, 400, 'InvalidArgument', {
      Message: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      ArgumentName: name,
    });
    await server.expectEmptyBucket('signed');
  });
});

describe('version 4', () => {
  it.each(['eu-central-1', 'auto', 'x'])('takes the region %s', async (region) => {
    expect((await upload(sign('v4', { region }))).status).toBe(204);
    await server.admin('DELETE', '/signed/k');
  });

  it.each([
    ['the expiry', 15 * 60_000],
    ['next week', 7 * 86_400_000],
    ['last week', -7 * 86_400_000],
  ])('takes %s for its date', async (_name, offset) => {
    const answer = await upload(sign('v4', { amzDate: amzDateOf(Date.now() + offset) }));
    expect(answer.status, answer.text).toBe(204);
    await server.admin('DELETE', '/signed/k');
  });

  it.each([
    ['x-amz-algorithm', 'AWS4-HMAC-SHA1'],
    ['x-amz-date', 'today'],
    ['x-amz-credential', 'AKIDADMIN00000000001'],
    ['x-amz-credential', 'AKIDADMIN00000000001/20300101/us-east-1/ec2/aws4_request'],
    ['x-amz-credential', 'AKIDADMIN00000000001/20300101/us-east-1/s3/aws5_request'],
  ])('refuses the %s %s', async (name, value) => {
    expectS3Error(await upload(change(sign('v4'), name, value)), 400, 'InvalidArgument');
    await server.expectEmptyBucket('signed');
  });

  it('does not take one credential scope for another', async () => {
    const scope = `${ADMIN_KEY.accessKeyId}/20300101/us-east-1/s3/aws4_request`;
    const answer = await upload(change(sign('v4'), 'x-amz-credential', scope));
    expectS3Error(answer, 403, 'SignatureDoesNotMatch');
  });
});

describe('a member', () => {
  let member: KeyPair;

  beforeAll(async () => {
    member = await server.makeMember('maria', [
      { prefix: 'signed/maria/', access: 'write' },
      { prefix: 'signed/read/', access: 'read' },
    ]);
    await server.makeBucket('open', 'public-read-write');
  });

  it.each(VERSIONS)('uploads what its grants cover: %s', async (version) => {
    const answer = await upload(sign(version, { pair: member, fields: { key: 'maria/a' } }));
    expect(answer.status, answer.text).toBe(204);
    await server.admin('DELETE', '/signed/maria%2Fa');
  });

  it.each(['a', 'maria', 'mariab', 'read/a', '../signed/maria/a', 'MARIA/a'])(
    'nothing else: %s',
    async (key) => {
      expectS3Error(
        await upload(sign('v2', { pair: member, fields: { key } })),
        403,
        'AccessDenied',
        {
          Message: 'Access Denied',
        },
      );
      await server.expectEmptyBucket('signed');
    },
  );

  it('uploads to a bucket that all may write', async () => {
    const pairs = sign('v2', { pair: member, bucket: 'open', fields: { key: 'k' } });
    expect((await upload(pairs, '/open')).status).toBe(204);
  });

  it('is told that a bucket is not there only as everybody is', async () => {
    const pairs = sign('v2', { pair: member, bucket: 'nowhere', fields: { key: 'k' } });
    expectS3Error(await upload(pairs, '/nowhere'), 404, 'NoSuchBucket', { BucketName: 'nowhere' });
  });

  it('loses what was taken from it at once', async () => {
    const pair = await server.makeMember('moved', [{ prefix: 'signed/', access: 'write' }]);
    const pairs = sign('v4', { pair });
    expect((await upload(pairs)).status).toBe(204);
    await server.admin('DELETE', '/signed/k');
    await server.admin('PUT', '/api/users/moved', { role: 'member', grants: [] });
    expectS3Error(await upload(pairs), 403, 'AccessDenied');
    await server.expectEmptyBucket('signed');
  });

  it('is out at once with its key, and other keys stay', async () => {
    const pair = await server.makeMember('rekeyed', [{ prefix: 'signed/', access: 'write' }]);
    const { json } = await server.admin('POST', '/api/access-keys', { user: 'rekeyed' });
    const other = json as KeyPair;
    expect((await upload(sign('v2', { pair }))).status).toBe(204);
    await server.admin('DELETE', '/signed/k');
    expect((await server.admin('DELETE', `/api/access-keys/${pair.accessKeyId}`)).status).toBe(204);
    expectS3Error(await upload(sign('v2', { pair })), 403, 'InvalidAccessKeyId');
    expect((await upload(sign('v2', { pair: other }))).status).toBe(204);
    await server.admin('DELETE', '/signed/k');
  });

  it('is out at once when deleted, and its key stays out when the name is used again', async () => {
    const pair = await server.makeMember('deleted', [{ prefix: 'signed/', access: 'write' }]);
    const pairs = sign('v2', { pair });
    expect((await upload(pairs)).status).toBe(204);
    await server.admin('DELETE', '/signed/k');
    expect((await server.admin('DELETE', '/api/users/deleted')).status).toBe(204);
    expectS3Error(await upload(pairs), 403, 'InvalidAccessKeyId');
    await server.makeMember('deleted', [{ prefix: 'signed/', access: 'write' }]);
    expectS3Error(await upload(pairs), 403, 'InvalidAccessKeyId');
    await server.expectEmptyBucket('signed');
  });
});

describe('secrets', () => {
  it('are nowhere in the log, nor are signatures and policies', async () => {
    await upload(sign('v2', { expiration: '2000-01-01T00:00:00Z' }));
    const log = server.log();
    expect(log).toContain('"msg":"request"');
    expect(log).not.toContain(ADMIN_KEY.secretAccessKey);
    expect(SIGNATURES.length).toBeGreaterThan(30);
    for (const signature of SIGNATURES) expect(log).not.toContain(signature);
    expect(log).not.toContain(Buffer.from('{"expiration"').toString('base64').slice(0, 16));
  });

  it('are nowhere in DATA_DIR in clear text', async () => {
    const { json } = await server.admin('POST', '/api/access-keys', {
      accessKeyId: 'AKIDFORTHEDISK000000',
      secretAccessKey: 'a-secret-that-is-not-on-the-disk',
    });
    const secrets = [ADMIN_KEY.secretAccessKey, (json as KeyPair).secretAccessKey].flatMap(
      (secret) => [
        Buffer.from(secret),
        Buffer.from(Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1)),
        Buffer.from(Buffer.from(secret).toString('hex')),
      ],
    );
    const entries = await readdir(server.dataDir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    let isKeyThere = false;
    for (const file of files) {
      const bytes = await readFile(join(file.parentPath, file.name));
      isKeyThere ||= bytes.includes('AKIDFORTHEDISK000000');
      for (const secret of secrets) expect(bytes.includes(secret), file.name).toBe(false);
    }
    expect(isKeyThere).toBe(true);
  });

  it('are of no use as the other: a secret is no password', async () => {
    const pair = { accessKeyId: 'admin', secretAccessKey: server.password };
    const answer = await upload(sign('v2', { pair, expiration: inOneHour() }));
    expectS3Error(answer, 403, 'InvalidAccessKeyId');
  });
});

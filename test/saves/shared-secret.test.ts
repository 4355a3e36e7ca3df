import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { ADMIN_KEY } from '../support/s3-server.ts';
import { amzDateOf, type SignedForm, signForm } from '../support/sign-form.ts';
import { keyOf, type SaveServer, startSaveServer } from './save-server.ts';

/** Forms of a service that knows nothing of Keystow but a secret. */

const BUCKET = 'ctr-jwvj-live';
const FOLDER = keyOf(1).slice(0, -17);
let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer();
  await server.makeSaves(BUCKET);
});

afterAll(() => server.stop());

const expiry = Date.now() + 3_600_000;

/** The date is the expiry, the token is empty in form and policy, and only the key's begin is signed. */
function foreignForm(key: string, changes: Partial<SignedForm> = {}) {
  return signForm({
    pair: ADMIN_KEY,
    version: 'v4',
    bucket: BUCKET,
    fields: { key, acl: 'private' },
    conditions: [{ bucket: BUCKET }, { acl: 'private' }, ['starts-with', '$key', FOLDER]],
    expiration: new Date(expiry).toISOString(),
    amzDate: amzDateOf(expiry),
    securityToken: '',
    ...changes,
  });
}

it('saves version after version with forms of one signature', async () => {
  for (let version = 1; version <= 3; version += 1) {
    const pairs = foreignForm(keyOf(version));
    const answer = await server.upload({ pairs, file: `v${version}`, filename: 'data' });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const again = await server.upload({ pairs, file: `v${version}` });
    expect(again.headers.get('etag')).toBe(answer.headers.get('etag'));
    expect((await server.read(BUCKET, keyOf(version))).text).toBe(`v${version}`);
  }
  expectS3Error(
    await server.upload({ pairs: foreignForm(keyOf(5)), file: 'x' }),
    403,
    'AccessDenied',
  );
});

it('whose date is days ahead', async () => {
  const amzDate = amzDateOf(Date.now() + 6 * 86_400_000);
  const key = keyOf(1, { slot: '2' });
  const answer = await server.upload({ pairs: foreignForm(key, { amzDate }), file: 'x' });
  expect(answer.status, answer.text).toBe(204);
});

it('whose version is 2, with an empty token', async () => {
  const key = keyOf(1, { slot: '3' });
  const answer = await server.upload({ pairs: foreignForm(key, { version: 'v2' }), file: 'x' });
  expect(answer.status, answer.text).toBe(204);
});

describe('is refused', () => {
  it.each<[string, string, Partial<SignedForm>, string]>([
    ['under another folder', keyOf(1, { n: 2 }), {}, 'AccessDenied'],
    [
      'once it has expired',
      keyOf(1, { slot: '4' }),
      { expiration: '2022-10-30T15:23:18.989274Z' },
      'AccessDenied',
    ],
    [
      'with another secret',
      keyOf(1, { slot: '4' }),
      { pair: { ...ADMIN_KEY, secretAccessKey: 'guess' } },
      'SignatureDoesNotMatch',
    ],
    [
      'with a token that is not empty',
      keyOf(1, { slot: '4' }),
      { securityToken: 'token' },
      'InvalidToken',
    ],
  ])('%s', async (_name, key, changes, code) => {
    const answer = await server.upload({ pairs: foreignForm(key, changes), file: 'x' });
    expectS3Error(answer, 403, code);
    await server.expectAbsent(BUCKET, key);
  });
});

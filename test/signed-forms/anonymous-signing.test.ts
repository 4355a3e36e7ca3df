import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { expectS3Error } from '../support/s3-client.ts';
import { ADMIN_KEY, type S3Server, startS3Server } from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { CREATE, createForm, formOf, policyOf, SUBMIT, sendForm } from './forms.ts';

/** `ANONYMOUS_SIGNING=on`: forms for anybody, in which little can be chosen. */

let server: S3Server;
/** Without credentials. */
let anybody: Rest;

beforeAll(async () => {
  server = await startS3Server({ ANONYMOUS_SIGNING: 'on', CORS_ORIGINS: 'https://app.example' });
  await server.makeBucket('elsewhere');
  anybody = async (method, path, body, headers = {}): Promise<RestAnswer> => {
    const response = await fetch(server.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text);
      },
    };
  };
});

afterAll(() => server.stop());

describe('at start', () => {
  it('it warns', () => {
    const lines = server.log().split('\n').slice(0, -1);
    const warnings = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
    expect(warnings).toHaveLength(1);
    expect(warnings[0].msg).toContain('ANONYMOUS_SIGNING');
  });

  it('it needs ACCESS_KEY_ID', async () => {
    const folder = await makeFolder();
    const env = { ANONYMOUS_SIGNING: 'on' };
    await expect(startServer({ folder, env })).rejects.toThrow(
      /^ANONYMOUS_SIGNING.*ACCESS_KEY_ID.*\.$/,
    );
    // Nothing is left open: the folder can be used at once.
    const later = await startServer({ folder });
    expect(later.log()).not.toContain('ANONYMOUS_SIGNING');
    expectError(await createRest(later.url, 'admin', 'wrong')('POST', CREATE), 401);
    await later.stop({ keep: true });
    await rm(folder, { recursive: true, force: true });
  });
});

describe('without credentials', () => {
  it('a bucket that was removed is a 404', async () => {
    expect((await server.admin('DELETE', '/api/buckets/uploads')).status).toBe(204);
    expectError(await anybody('POST', CREATE), 404, /uploads/);
    await server.makeBucket('uploads');
  });

  it('a form is signed with ACCESS_KEY_ID, for the upload bucket', async () => {
    const form = formOf(await anybody('POST', CREATE));
    expect(form.url).toBe(`${server.url}/uploads`);
    expect(form.fields).toMatchObject({
      key: expect.stringMatching(/^direct_uploads\/[\da-f-]{36}$/),
      'x-amz-credential': expect.stringMatching(new RegExp(`^${ADMIN_KEY.accessKeyId}/`)),
    });
    expect((await sendForm(server, form)).status).toBe(201);
    expectS3Error(await sendForm(server, form, { key: 'other' }), 403, 'AccessDenied');
  });

  it('filename, contentType, minBytes and maxBytes count', async () => {
    const data = { filename: 'a.png', contentType: 'image/png', minBytes: 1, maxBytes: 2 };
    const form = await createForm(anybody, data);
    expect(form.fields).toMatchObject({
      key: expect.stringMatching(/^direct_uploads\/[\da-f-]{36}\/a\.png$/),
      'Content-Type': 'image/png',
    });
    expect(policyOf(form).conditions).toContainEqual(['content-length-range', 1, 2]);
    expect((await sendForm(server, form, {}, { file: 'xx' })).status).toBe(201);
    expectS3Error(await sendForm(server, form, {}, { file: 'xxx' }), 400, 'EntityTooLarge');
    expectS3Error(await sendForm(server, form, {}, { file: '' }), 400, 'EntityTooSmall');
  });

  it('nothing else does, right or wrong', async () => {
    const plain = await createForm(anybody, {});
    for (const data of [
      {
        bucket: 'elsewhere',
        key: 'chosen',
        prefix: 'chosen',
        acl: 'public-read-write',
        expiresIn: 604_800,
        successActionStatus: 204,
        successActionRedirect: 'https://evil.example/',
        metadata: { a: '1' },
        signatureVersion: 'v2',
      },
      { bucket: 7, expiresIn: -1, unknown: true },
      'a string',
      null,
    ]) {
      const form = await createForm(anybody, data);
      expect(form.url).toBe(plain.url);
      expect(Object.keys(form.fields)).toEqual(Object.keys(plain.fields));
      expect(form.fields['key']).toMatch(/^direct_uploads\/[\da-f-]{36}$/);
      expect(policyOf(form).conditions).toHaveLength(6);
      const seconds = (Date.parse(policyOf(form).expiration) - Date.now()) / 1_000;
      expect(seconds).toBeGreaterThan(3_500);
      expect(seconds).toBeLessThanOrEqual(3_600);
    }
  });

  it('a filename leads out of no folder', async () => {
    for (const filename of ['../../x', '..\\..\\x', '..', '/etc/x', 'a\0b', '$' + '{filename}']) {
      const form = await createForm(anybody, { filename });
      expect(form.fields['key']).toMatch(/^direct_uploads\/[\da-f-]{36}\/[^/\\\0]+$/);
      expect(form.fields['key']).not.toContain('..');
    }
  });

  it('what counts has to be right', async () => {
    for (const data of [{ filename: 7 }, { contentType: 'a\nb' }, { minBytes: -1 }]) {
      expectError(await anybody('POST', CREATE, { data }), 400);
    }
    expectError(await anybody('POST', CREATE, { data: { minBytes: 2, maxBytes: 1 } }), 400);
    expectError(await anybody('POST', CREATE, { command: 'Other' }), 400);
  });

  it('nothing but create_signed_url is open', async () => {
    expectError(await anybody('POST', SUBMIT, { fileName: 'a' }), 401);
    expectError(await anybody('GET', SUBMIT), 401);
    expectError(await anybody('GET', '/data'), 401);
    expectError(await anybody('GET', '/api/access-keys'), 401);
  });
});

describe('with credentials', () => {
  it('that are right, everything counts', async () => {
    const form = await createForm(server.admin, { bucket: 'elsewhere', key: 'chosen' });
    expect(form.url).toBe(`${server.url}/elsewhere`);
    expect(form.fields['key']).toBe('chosen');
  });

  it('of a member, its grants do', async () => {
    await server.makeMember('nobody', []);
    const nobody = createRest(server.url, 'nobody', 'nobody-password');
    expectError(await nobody('POST', CREATE), 403);
  });

  it('that are wrong, it is a 401', async () => {
    for (const authorization of ['Basic d3Jvbmc=', 'Basic !']) {
      expectError(await anybody('POST', CREATE, {}, { authorization }), 401);
    }
    expectError(await createRest(server.url, 'admin', 'wrong')('POST', CREATE), 401);
  });
});

it("with a gateway's own token it is for anybody", async () => {
  const authorization = 'Bearer token';
  expect((await anybody('POST', CREATE, {}, { authorization })).status).toBe(202);
});

describe('from a page', () => {
  it('of a foreign origin it is refused all the same', async () => {
    const evil = { origin: 'https://evil.example' };
    expectError(await anybody('POST', CREATE, {}, evil), 403);
    expectError(await anybody('POST', CREATE, {}, { 'sec-fetch-site': 'cross-site' }), 403);
  });

  it('of its own, or in CORS_ORIGINS, it is not', async () => {
    const own = await anybody('POST', CREATE, {}, { origin: server.url });
    expect(own.status).toBe(202);
    const app = await anybody('POST', CREATE, {}, { origin: 'https://app.example' });
    expect(app.status).toBe(202);
    expect(app.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });
});

it('without the key, which was removed, it is a 503', async () => {
  const path = `/api/access-keys/${ADMIN_KEY.accessKeyId}`;
  expect((await server.admin('DELETE', path)).status).toBe(204);
  expectError(await anybody('POST', CREATE), 503, /ACCESS_KEY_ID/);
});

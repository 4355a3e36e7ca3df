import { expect } from 'vitest';
import { MAX_BATCH_BYTES } from '../../shared/limits.ts';
import { ADMIN_KEY } from '../support/s3-server.ts';
import { signForm } from '../support/sign-form.ts';
import type { Call, CallOptions } from './api-caller.ts';

/**
 * Every operation, in every status that it says it has and that no fault of disk or store is needed for.
 * The first call of each is as the examples of the document say. The order matters.
 */
export async function driveOperations(call: Call): Promise<void> {
  await driveDocuments(call);
  await driveLists(call);
  await driveBatches(call);
  await driveChanges(call);
  await driveAccounts(call);
  await driveObjects(call);
  await driveSaves(call);
  await driveUploads(call);
  await driveSubmissions(call);
  await driveService(call);
}

const MALFORMED = '%zz';

async function driveDocuments(call: Call): Promise<void> {
  const other = { params: { key: 'ä/ö?&#' } };
  const array = { params: { key: 'array' } };
  const absent = { params: { key: 'absent' } };
  const malformed = { path: `/data/${MALFORMED}` };
  const anyTag = { headers: { 'if-match': '*' } };

  const created = await call('createDocument', 201);
  const etag = created.headers.get('etag') ?? '';
  await call('createDocument', 201, { ...other, body: null });
  await call('createDocument', 201, { ...array, body: [1, { two: null }] });
  await call('createDocument', 406);
  await call('createDocument', 400, { ...absent, body: '1' });
  await call('createDocument', 412, { ...absent, ...anyTag });

  for (const id of ['getDocument', 'headDocument']) {
    await call(id, 200);
    await call(id, 200, other);
    await call(id, 304, { headers: { 'if-none-match': etag } });
    await call(id, 400, malformed);
    await call(id, 404, absent);
    await call(id, 412, { headers: { 'if-match': '"0"' } });
  }

  await call('replaceDocument', 200);
  await call('replaceDocument', 201, { params: { key: 'new' }, headers: { 'if-none-match': '*' } });
  await call('replaceDocument', 400, { body: '{' });
  await call('replaceDocument', 404, absent);
  await call('replaceDocument', 412, { headers: { 'if-match': etag } });

  await call('patchDocument', 200);
  await call('patchDocument', 200, { type: 'application/merge-patch+json' });
  await call('patchDocument', 200, { type: 'application/json-patch+json' });
  await call('patchDocument', 400, { body: '[' });
  await call('patchDocument', 404, absent);
  await call('patchDocument', 409, {
    type: 'application/json-patch+json',
    body: [{ op: 'test', path: '/level', value: 'no' }],
  });
  await call('patchDocument', 409, { ...array, body: { member: 1 } });
  await call('patchDocument', 412, { headers: { 'if-match': etag } });

  await call('deleteDocument', 400, malformed);
  await call('deleteDocument', 412, { headers: { 'if-match': etag } });
  for (const key of ['ä/ö?&#', 'array', 'new'])
    await call('deleteDocument', 204, { params: { key } });
  await call('deleteDocument', 404, absent);
}

async function driveLists(call: Call): Promise<void> {
  const lines = { headers: { accept: 'application/x-ndjson' } };
  await call('listDocuments', 200);
  await call('createDocument', 201, { params: { key: 'players/8' }, body: ['ä'] });
  await call('listDocuments', 200, { query: { prefix: 'players/', after: 'players/7' } });
  await call('listDocuments', 200, lines);
  for (const options of [{}, lines]) {
    const page = await call('listDocuments', 200, { ...options, query: { limit: 1 } });
    expect(page.headers.get('link')).toContain('rel="next"');
  }
  await call('listDocuments', 400, { query: { limit: 0 } });
  await call('deleteDocument', 204, { params: { key: 'players/8' } });
}

async function driveBatches(call: Call): Promise<void> {
  const [url, absent] = ['/data/players/7', '/data/absent'];
  await call('replaceDocument', 200);
  await call('commitBatch', 200);
  await call('commitBatch', 409);
  await call('commitBatch', 409, {
    body: [
      { url, method: 'PUT', data: [], headers: { 'if-match': '"0"' } },
      { url: absent, method: 'DELETE' },
      { url: '/data/x', method: 'POST', data: 1 },
    ],
  });
  await call('commitBatch', 200, {
    body: [
      { url, method: 'PUT', data: '[1.0]', headers: { 'content-type': 'application/json' } },
      { url: '/data/players/1', method: 'DELETE' },
      {
        url: absent,
        method: 'PUT',
        data: {},
        headers: { accept: 'text/plain', 'if-none-match': '*' },
      },
    ],
  });
  await call('commitBatch', 200, { body: [{ url: absent, method: 'DELETE' }] });
  await call('commitBatch', 200, { body: [] });
  await call('commitBatch', 400, { body: { url, method: 'DELETE' } });
  await call('commitBatch', 413, { body: JSON.stringify('x'.repeat(MAX_BATCH_BYTES)) });
}

async function driveChanges(call: Call): Promise<void> {
  const stream = { accept: 'text/event-stream' };
  const { json } = await call('listChanges', 200);
  const { changes } = json as { changes: { type: string }[] };
  expect(new Set(changes.map(({ type }) => type))).toEqual(new Set(['put', 'delete']));
  await call('listChanges', 200, { query: { prefix: '/data/players/', limit: 1, since: 1 } });
  await call('listChanges', 200, { query: { since: 1 }, headers: stream, until: 'event: change' });
  await call('listChanges', 400, { query: { since: 'x' } });
  await call('listChanges', 400, { headers: { ...stream, 'last-event-id': 'x' } });
  await call('listChanges', 410, { query: { since: 1_000_000 } });
}

async function driveAccounts(call: Call): Promise<void> {
  await call('putUser', 201);
  await call('putUser', 200);
  await call('putUser', 400, { body: { role: 'guest' } });
  await call('putUser', 409, { params: { name: 'admin' }, body: { role: 'member' } });
  await call('listUsers', 200);
  await call('deleteUser', 400, { path: `/api/users/${MALFORMED}` });
  await call('deleteUser', 404, { params: { name: 'nobody' } });
  await call('deleteUser', 409, { params: { name: 'admin' } });

  await call('createAccessKey', 201);
  await call('createAccessKey', 201, { body: null });
  await call('createAccessKey', 400, { body: { accessKeyId: 'a/b' } });
  await call('createAccessKey', 404, { body: { user: 'nobody' } });
  await call('createAccessKey', 409);
  await call('listAccessKeys', 200);
  await call('deleteAccessKey', 204);
  await call('deleteAccessKey', 400, { path: `/api/access-keys/${MALFORMED}` });
  await call('deleteAccessKey', 404);
  await call('deleteUser', 204);
}

async function driveObjects(call: Call): Promise<void> {
  const absent = { params: { bucket: 'absent' } };
  await call('putBucket', 201);
  await call('putBucket', 200);
  await call('putBucket', 400, { params: { bucket: 'api' } });
  await call('listBuckets', 200);

  const upload = { form: formFor('replays', { key: 'ada/1.bin' }) };
  await call('postObject', 204, upload);
  await call('postObject', 204, {
    form: formFor('replays', {
      key: 'ada/2.txt',
      'Content-Type': 'text/plain',
      acl: 'public-read',
    }),
  });
  await call('listObjects', 200, { query: { prefix: 'ada/1' } });
  const rolledUp = await call('listObjects', 200, { query: { delimiter: '/' } });
  expect(rolledUp.json).toEqual({ objects: [], prefixes: ['ada/'] });
  const page = await call('listObjects', 200, { query: { prefix: 'ada/', limit: 1 } });
  expect(page.headers.get('link')).toContain('rel="next"');
  await call('listObjects', 200, { query: { after: 'ada/1.bin' } });
  await call('listObjects', 400, { query: { limit: 0 } });
  await call('listObjects', 404, absent);

  const { json } = await call('presign', 200);
  expect((await fetch((json as { url: string }).url, { method: 'PUT', body: 'x' })).status).toBe(
    200,
  );
  await call('presign', 400, { body: { method: 'POST', bucket: 'replays', key: 'k' } });
  await call('presign', 404, { body: { method: 'GET', bucket: 'absent', key: 'k' } });

  await call('deleteBucket', 400, { path: `/api/buckets/${MALFORMED}` });
  await call('deleteBucket', 404, absent);
  await call('deleteBucket', 409);
  await call('putBucket', 201, { params: { bucket: 'short-lived' } });
  await call('deleteBucket', 204, { params: { bucket: 'short-lived' } });
}

async function driveSaves(call: Call): Promise<void> {
  const bucket = 'game-saves';
  const settings = { saves: true, savePrefix: 'game', keepVersions: 10 };
  const elsewhere = { params: { bucket: 'replays' } };
  await call('putBucket', 201, { params: { bucket }, body: settings });
  await call('putBucket', 200, { params: { bucket }, body: { ...settings, keepVersions: null } });

  for (let version = 1; version <= 2; version += 1) {
    const { json } = await call('signSave', 200);
    const { fields } = json as { fields: Record<string, string> };
    await call('postObject', 204, { params: { bucket }, form: Object.entries(fields) });
  }
  const last = { params: { slot: '9' } };
  const lastForm = formFor(bucket, { key: 'game/ds/1/data/00000000009-99999' });
  await call('postObject', 204, { params: { bucket }, form: lastForm });
  await call('signSave', 200, { params: { slot: '10' }, body: null });
  await call('signSave', 400, { params: { slot: 'x' } });
  await call('signSave', 404, elsewhere);
  await call('signSave', 409, last);

  await call('listSlots', 200);
  const page = await call('listSlots', 200, { query: { limit: 1, n: 1, prefix: 'game' } });
  expect(page.headers.get('link')).toContain('rel="next"');
  await call('listSlots', 200, { query: { after: 7 } });
  await call('listSlots', 400, { query: { n: 'x' } });
  await call('listSlots', 404, elsewhere);
  await call('listVersions', 200);
  await call('listVersions', 400, { params: { slot: 'x' } });
  await call('listVersions', 404, { params: { slot: '8' } });

  for (const id of ['getSave', 'headSave']) {
    const { headers } = await call(id, 200);
    await call(id, 200, { params: { version: '1' } });
    await call(id, 304, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
    await call(id, 400, { params: { version: '100000' } });
    await call(id, 404, { params: { version: '3' } });
    await call(id, 412, { headers: { 'if-match': '"0"' } });
  }
  await call('getSave', 206, { headers: { range: 'bytes=1-2' } });
  await call('getSave', 416, { headers: { range: 'bytes=9-' } });

  await call('restoreSave', 201);
  await call('restoreSave', 400, { params: { slot: 'x' } });
  await call('restoreSave', 404, { body: { version: 44 } });
  await call('restoreSave', 409, { ...last, body: { version: 99_999 } });
}

async function driveUploads(call: Call): Promise<void> {
  const bucket = 'replays';
  for (const id of ['postObject', 'postObjectByForm']) {
    const fields = { key: 'k', 'x-amz-meta-level': '7' };
    const upload = (more: Record<string, string>): CallOptions => ({
      form: formFor(bucket, { ...fields, ...more }),
    });
    await call(id, 200, upload({ success_action_status: '200' }));
    const created = await call(id, 201, upload({ success_action_status: '201' }));
    expect(created.text).toContain('<PostResponse>');
    await call(id, 204, upload({}));
    await call(id, 303, upload({ success_action_redirect: 'https://example.com/done?a=b' }));
    await call(id, 400, upload({ tagging: 'none' }));
    await call(id, 403, { form: [...formFor(bucket, fields), ['extra', 'field']] });
    await call(id, 404, { params: { bucket: 'absent' }, form: formFor('absent', fields) });
    await call(id, 412, { type: 'text/plain', body: 'no form' });
  }
}

async function driveSubmissions(call: Call): Promise<void> {
  await call('createSignedUrl', 202);
  const { json: command } = await call('createSignedUrl', 202, { body: null });
  const { fields } = (command as { data: { fields: Record<string, string> } }).data;
  await call('postObject', 201, { params: { bucket: 'uploads' }, form: Object.entries(fields) });
  await call('createSignedUrl', 202, {
    body: {
      data: {
        bucket: 'replays',
        prefix: 'p',
        filename: 'f',
        contentType: 'text/plain',
        acl: 'private',
        minBytes: 1,
        maxBytes: 9,
        expiresIn: 60,
        successActionStatus: 204,
        successActionRedirect: 'https://example.com/',
        metadata: { level: '7' },
        signatureVersion: 'v2',
      },
    },
  });
  await call('createSignedUrl', 400, { body: { command: 'Other' } });
  await call('createSignedUrl', 404, { body: { data: { bucket: 'absent' } } });

  const submissions = { params: { bucket: 'submissions' } };
  await call('deleteBucket', 204, submissions);
  await call('submitFiles', 404);
  await call('putBucket', 201, submissions);
  const { json: forms } = await call('submitFiles', 200);
  const [form] = forms as { fields: Record<string, string> }[];
  await call('postObjectByForm', 204, { form: Object.entries(form?.fields ?? {}) });
  await call('submitFiles', 200, { body: { fileName: 'unlabelled.png' } });
  await call('submitFiles', 400, { body: [] });
  await call('listSubmissions', 200);
}

async function driveService(call: Call): Promise<void> {
  await call('health', 200);
  await call('health', 200, { path: '/api/health?ready=' });
  await call('health', 400, { path: `/api/health?${MALFORMED}` });
  await call('about', 200);
  await call('about', 302, { headers: { accept: 'text/html' } });
  await call('metrics', 200);
  await call('backup', 200);
  const { headers } = await call('openapi', 200);
  await call('openapi', 304, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
  await call('openapi', 400, { headers: { 'if-none-match': 'unquoted' } });
}

function formFor(bucket: string, fields: Record<string, string>) {
  return signForm({ pair: ADMIN_KEY, bucket, fields });
}

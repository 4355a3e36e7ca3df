import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendRequest } from '../support/http-request.ts';
import { createRest } from '../support/rest.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { CREATE, formOf, policyOf, sendForm } from './forms.ts';

/** `create-signed-url.md`, with its access key, clock, object id and bucket: equal to the byte. */

const SIGNED_AT = Date.UTC(2019, 1, 20, 18, 40, 23);
const OBJECT_ID = 'b8a12730-67b9-449f-96cd-7d0e3542fa94';

const REQUEST = `{
  "uuid": "e090cbd2-ded4-4fd4-be23-4c17ad77ca07",
  "command": "CreateSignedS3FormData",
  "data": null,
  "async": false
}`;

const RESPONSE =
  '{"status":"accepted","meta":{},"uuid":"e090cbd2-ded4-4fd4-be23-4c17ad77ca07","data":{"fields":{"key":"direct_uploads/b8a12730-67b9-449f-96cd-7d0e3542fa94","success_action_status":"201","policy":"eyJleHBpcmF0aW9uIjoiMjAxOS0wMi0yMFQxOTo0MDoyM1oiLCJjb25kaXRpb25zIjpbeyJidWNrZXQiOiJldGFwaWRpcmVjdGJ1Y2tldHRlc3QifSx7ImtleSI6ImRpcmVjdF91cGxvYWRzL2I4YTEyNzMwLTY3YjktNDQ5Zi05NmNkLTdkMGUzNTQyZmE5NCJ9LHsic3VjY2Vzc19hY3Rpb25fc3RhdHVzIjoiMjAxIn0seyJ4LWFtei1jcmVkZW50aWFsIjoiYWNjZXNzS2V5MS8yMDE5MDIyMC91cy1lYXN0LTEvczMvYXdzNF9yZXF1ZXN0In0seyJ4LWFtei1hbGdvcml0aG0iOiJBV1M0LUhNQUMtU0hBMjU2In0seyJ4LWFtei1kYXRlIjoiMjAxOTAyMjBUMTg0MDIzWiJ9XX0=","x-amz-credential":"accessKey1/20190220/us-east-1/s3/aws4_request","x-amz-algorithm":"AWS4-HMAC-SHA256","x-amz-date":"20190220T184023Z","x-amz-signature":"cfd01eddd4d74be84a727d0acc3083271b0b3eaa8058111dadcf5bd60d9fe58b"},"url":"http://localhost:9000/etapidirectbuckettest"}}';

let server: S3Server;
let now = SIGNED_AT;

beforeAll(async () => {
  server = await startS3Server(
    {
      ACCESS_KEY_ID: 'accessKey1',
      SECRET_ACCESS_KEY: 'verySecretKey1',
      UPLOAD_BUCKET: 'etapidirectbuckettest',
    },
    { now: () => now, newId: () => OBJECT_ID },
  );
});

afterAll(() => server.stop());

function ask(time: number, headers: Record<string, string> = {}) {
  now = time;
  return sendRequest(server.url, {
    method: 'POST',
    path: CREATE,
    // The seed's Host is example.org; its `url` is that of the storage that it signs for.
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      host: 'localhost:9000',
      cookie: '',
      ...headers,
    },
    body: REQUEST,
  });
}

it('answers the body of the seed, byte for byte, with its policy and its signature', async () => {
  const answer = await ask(SIGNED_AT);
  expect(answer.status).toBe(202);
  expect(answer.text).toBe(RESPONSE);
});

it('answers its headers', async () => {
  const { headers } = await ask(SIGNED_AT);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-cache');
  expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
  expect(headers.get('x-runtime')).toMatch(/^\d+\.\d{6}$/);
  expect(headers.get('content-length')).toBe('904');
});

it('gives another request another id, and the same answer to the same clock', async () => {
  const first = await ask(SIGNED_AT);
  const second = await ask(SIGNED_AT + 999);
  expect(second.text).toBe(first.text);
  expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  expect((await ask(SIGNED_AT + 1_000)).text).not.toBe(first.text);
});

it('is for the Host that it was sent to, path-style, on another day with another credential', async () => {
  const form = formOf(await ask(SIGNED_AT + 86_400_000, { host: 'example.org' }));
  expect(form.url).toBe('http://example.org/etapidirectbuckettest');
  expect(form.fields).toMatchObject({
    'x-amz-credential': 'accessKey1/20190221/us-east-1/s3/aws4_request',
    'x-amz-date': '20190221T184023Z',
  });
  expect(policyOf(form).expiration).toBe('2019-02-21T19:40:23Z');
});

it('is good for an hour to the second', async () => {
  const form = formOf(await ask(SIGNED_AT));
  now = SIGNED_AT + 3_600_000;
  const late = await sendForm(server, form);
  expect([late.status, late.xml['Message']]).toEqual([
    403,
    'Invalid according to Policy: Policy expired.',
  ]);
  now -= 1;
  const answer = await sendForm(server, form, {}, { file: 'a picture', filename: 'a.png' });
  expect(answer.status, answer.text).toBe(201);
  expect(answer.xml).toMatchObject({
    Bucket: 'etapidirectbuckettest',
    Key: `direct_uploads/${OBJECT_ID}`,
  });
  const stored = await server.read('etapidirectbuckettest', `direct_uploads/${OBJECT_ID}`);
  expect(stored.text).toBe('a picture');
});

it('signs with the key of the environment, the oldest of the admin', async () => {
  const more = createRest(server.url);
  expect((await more('POST', '/api/access-keys', {})).status).toBe(201);
  expect((await ask(SIGNED_AT)).text).toBe(RESPONSE);
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EnvelopeAnswer } from '../../shared/envelope.ts';
import { ask, type Client, connect, request } from '../socket/client.ts';
import { PASSWORD } from '../support/environment.ts';
import { sendRequest } from '../support/http-request.ts';
import { expectS3Error } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { CREATE, type Form, SUBMIT, type Submission, sendForm } from './forms.ts';

/** The same two routes in envelopes: a socket's answer is REST's. */

const START = Date.UTC(2026, 4, 17, 12);

let server: S3Server;
let client: Client;
let ids = 0;

beforeAll(async () => {
  server = await startS3Server(
    { TRUST_PROXY: 'on' },
    {
      now: () => START,
      // Each request that REST and the socket make in turn makes one.
      newId: () => `id-${Math.floor(ids++ / 2)}`,
    },
  );
  client = await connect(server.url);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

function formOf({ data }: EnvelopeAnswer): Form {
  return (data as { data: Form }).data;
}

/** What is random in both. */
function steady(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, member) =>
      /^(X-Amz-(Credential|Security-Token|Signature)|Policy)$/.test(name) ? 'random' : member,
    ),
  );
}

describe('a socket’s answer is REST’s', () => {
  it.each<[string, string, unknown]>([
    ['POST', CREATE, { uuid: 'u' }],
    ['POST', CREATE, { uuid: 'u', command: 'CreateSignedS3FormData', data: null, async: false }],
    ['POST', CREATE, { uuid: 'u', data: { filename: 'a.png', maxBytes: 5, signatureVersion: 2 } }],
    ['POST', CREATE, { uuid: 'u', data: { metadata: { a: 'ü' }, acl: 'public-read' } }],
    ['POST', SUBMIT, { fileName: 'a.png', spektrDataField: 'label' }],
    ['POST', SUBMIT, [{ fileName: 'a.png' }]],
    ['GET', SUBMIT, undefined],
    ['POST', CREATE, { uuid: 7 }],
    ['POST', CREATE, { command: 'Other' }],
    ['POST', CREATE, [1]],
    ['POST', CREATE, { data: { acl: 'everybody' } }],
    ['POST', CREATE, { data: { unknown: 1 } }],
    ['POST', CREATE, { data: { bucket: 'nowhere', key: 'k' } }],
    ['POST', CREATE, { data: { minBytes: 2, maxBytes: 1 } }],
    ['POST', SUBMIT, []],
    ['POST', SUBMIT, [{ fileName: '' }]],
    ['PUT', SUBMIT, {}],
    ['GET', CREATE, undefined],
  ])('%s %s %j', async (method, url, data) => {
    ids = 0;
    const overHttp = await server.admin(method, url, data);
    const overSocket = await request(client, method, url, data);
    expect(overSocket.status).toBe(overHttp.status);
    expect(steady(overSocket.data)).toEqual(steady(overHttp.json));
    expect(overSocket).toMatchObject({ method, url });
  });

  it('without data there is a new uuid', async () => {
    const answer = await request(client, 'POST', CREATE);
    expect(answer).toMatchObject({
      status: 202,
      statusText: 'Accepted',
      data: { status: 'accepted', meta: {}, uuid: expect.stringMatching(/^[\da-f-]{36}$/) },
    });
    expect(await request(client, 'POST', SUBMIT)).toMatchObject({ status: 400 });
  });

  it('credentials and grants are asked for', async () => {
    await server.makeMember('maria', [{ prefix: 'uploads/maria/', access: 'write' }]);
    for (const url of [CREATE, SUBMIT]) {
      const envelope = { method: 'POST', url, data: { fileName: 'a' } };
      expect(await ask(client, envelope)).toMatchObject({ status: 401 });
      const wrong = { ...envelope, auth: { username: 'admin', password: 'wrong' } };
      expect(await ask(client, wrong)).toMatchObject({ status: 401 });
      const auth = { username: 'maria', password: 'maria-password' };
      expect(await ask(client, { ...envelope, auth })).toMatchObject({ status: 403 });
    }
  });
});

describe('its forms', () => {
  it('are uploaded, and arrive', async () => {
    const form = formOf(await request(client, 'POST', CREATE, { data: { maxBytes: 3 } }));
    expect(form.url).toBe(`${server.url}/uploads`);
    expect((await sendForm(server, form, {}, { file: 'xxx' })).status).toBe(201);
    expectS3Error(await sendForm(server, form, {}, { file: 'xxxx' }), 400, 'EntityTooLarge');
    const file = { fileName: 'a.png', spektrDataField: 'label' };
    const { data } = await request(client, 'POST', SUBMIT, file);
    const [submission] = data as Submission[];
    if (!submission) throw new Error('No form.');
    expect(submission.url).toBe(`${server.url}/`);
    expect((await sendForm(server, submission)).status).toBe(204);
    const listed = await request(client, 'GET', SUBMIT);
    expect(listed.data).toMatchObject([{ key: submission.fields['key'], ...file, size: 1 }]);
    expect(listed.data).toEqual((await server.admin('GET', SUBMIT)).json);
  });

  it('name the Host of the handshake, or what a trusted proxy says of it', async () => {
    const urlsWith = async (extraHeaders: Record<string, string>): Promise<string[]> => {
      const other = await connect(server.url, { extraHeaders });
      const created = formOf(await request(other, 'POST', CREATE));
      const { data } = await request(other, 'POST', SUBMIT, { fileName: 'a' });
      other.disconnect();
      return [created.url, ...(data as Submission[]).map(({ url }) => url)];
    };
    expect(await urlsWith({ host: 'games.example:81' })).toEqual([
      'http://games.example:81/uploads',
      'http://games.example:81/',
    ]);
    const proxied = { 'x-forwarded-host': 'public.example', 'x-forwarded-proto': 'https' };
    expect(await urlsWith(proxied)).toEqual([
      'https://public.example/uploads',
      'https://public.example/',
    ]);
    // As REST does; and no envelope's header changes it.
    const overHttp = await sendRequest(server.url, {
      method: 'POST',
      path: CREATE,
      headers: proxied,
    });
    expect((overHttp.json as { data: Form }).data.url).toBe('https://public.example/uploads');
    const faked = await request(client, 'POST', CREATE, undefined, { ...proxied, host: 'x' });
    expect(formOf(faked).url).toBe(`${server.url}/uploads`);
  });
});

describe('with PUBLIC_URL and ANONYMOUS_SIGNING', () => {
  let open: S3Server;
  let anybody: Client;

  beforeAll(async () => {
    open = await startS3Server({
      PUBLIC_URL: 'https://saves.example/store',
      ANONYMOUS_SIGNING: 'on',
    });
    anybody = await connect(open.url);
  });

  afterAll(async () => {
    anybody.disconnect();
    await open.stop();
  });

  it('the url is that', async () => {
    const created = await request(anybody, 'POST', CREATE);
    expect(formOf(created).url).toBe('https://saves.example/store/uploads');
    const { data } = await request(anybody, 'POST', SUBMIT, { fileName: 'a' });
    expect(data).toMatchObject([{ url: 'https://saves.example/store/' }]);
  });

  it('nobody has to say who they are, and little counts', async () => {
    const data = { filename: 'a.png', key: 'chosen', bucket: 'submissions' };
    const answer = await ask(anybody, { method: 'POST', url: CREATE, data: { data } });
    expect(answer.status).toBe(202);
    expect(formOf(answer).fields['key']).toMatch(/^direct_uploads\/[\da-f-]{36}\/a\.png$/);
    const submitted = { method: 'POST', url: SUBMIT, data: { fileName: 'a' } };
    expect(await ask(anybody, submitted)).toMatchObject({ status: 401 });
  });

  it.each<[string, unknown]>([
    ['wrong', { username: 'admin', password: 'wrong' }],
    ['half', { username: 'admin' }],
    ['no object', 'admin:wrong'],
  ])('credentials that are %s are a 401', async (_name, auth) => {
    const answer = await ask(anybody, { method: 'POST', url: CREATE, auth });
    expect(answer).toMatchObject({ status: 401 });
  });

  it('credentials of the handshake count', async () => {
    const known = await connect(open.url, { auth: { username: 'admin', password: PASSWORD } });
    const data = { data: { key: 'chosen' } };
    const answer = await ask(known, { method: 'POST', url: CREATE, data });
    expect(formOf(answer).fields['key']).toBe('chosen');
    known.disconnect();
    const wrong = await connect(open.url, { auth: { username: 'admin', password: 'x' } });
    expect(await ask(wrong, { method: 'POST', url: CREATE })).toMatchObject({ status: 401 });
    wrong.disconnect();
  });
});

it('secrets and tokens are not in the log', async () => {
  const { data } = await request(client, 'POST', SUBMIT, { fileName: 'a' });
  const [submission] = data as Submission[];
  const { 'X-Amz-Security-Token': token = '', Policy: policy = '' } = submission?.fields ?? {};
  expect(token).not.toBe('');
  const log = server.log();
  expect(log).toContain(SUBMIT);
  for (const secret of [token, policy, PASSWORD]) expect(log).not.toContain(secret);
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../support/http-request.ts';
import { rawRequest } from '../support/raw-http.ts';
import { AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { CREATE, type Form, formOf, SUBMIT, type Submission, sendForm } from './forms.ts';

/** What clients are told to send their forms to: PUBLIC_URL, else what they called the server. */

const PROXY = {
  'x-forwarded-host': 'public.example:8443',
  'x-forwarded-proto': 'https',
  'x-forwarded-for': '192.0.2.1',
};

async function urls(server: S3Server, headers: Record<string, string>): Promise<[string, string]> {
  const send = (path: string) =>
    sendRequest(server.url, {
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"fileName":"a"}',
    });
  const [submission] = (await send(SUBMIT)).json as Submission[];
  return [formOf(await send(CREATE)).url, submission?.url ?? ''];
}

function both(base: string): [string, string] {
  return [`${base}/uploads`, `${base}/`];
}

describe('without settings', () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());

  it.each(['example.org', 'LOCALHOST:9000', '[::1]:6375', '10.0.0.1'])('Host %s', async (host) => {
    expect(await urls(server, { host })).toEqual(both(`http://${host}`));
  });

  it('X-Forwarded headers do not count', async () => {
    expect(await urls(server, { host: 'example.org', ...PROXY })).toEqual(
      both('http://example.org'),
    );
  });

  it('HTTP/1.0 without a Host has none: the path alone', async () => {
    const answer = await rawRequest(
      server.url,
      `POST ${CREATE} HTTP/1.0\r\nAuthorization: ${AS_ADMIN.authorization}\r\n\r\n`,
    );
    expect(formOf(answer).url).toBe('/uploads');
  });

  it('on a bucket’s Host there are no such routes', async () => {
    const answer = await sendRequest(server.url, {
      method: 'POST',
      path: CREATE,
      headers: { host: 'uploads.localhost', 'content-type': 'application/json' },
      body: '{}',
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([405, 'application/xml']);
  });
});

describe('TRUST_PROXY=on', () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await startS3Server({ TRUST_PROXY: 'on' });
  });
  afterAll(() => server.stop());

  it('X-Forwarded-Host and -Proto are what the client called', async () => {
    expect(await urls(server, PROXY)).toEqual(both('https://public.example:8443'));
    const several = {
      'x-forwarded-host': 'a.example, b.example',
      'x-forwarded-proto': 'https,http',
    };
    expect(await urls(server, several)).toEqual(both('https://a.example'));
  });

  it('either alone, or neither', async () => {
    const host = 'example.org';
    const { 'x-forwarded-host': forwarded, 'x-forwarded-proto': proto } = PROXY;
    expect(await urls(server, { host, 'x-forwarded-host': forwarded })).toEqual(
      both(`http://${forwarded}`),
    );
    expect(await urls(server, { host, 'x-forwarded-proto': proto })).toEqual(
      both('https://example.org'),
    );
    expect(await urls(server, { host })).toEqual(both('http://example.org'));
  });
});

describe('PUBLIC_URL', () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await startS3Server({
      PUBLIC_URL: 'https://Saves.Example/store/',
      TRUST_PROXY: 'on',
    });
  });
  afterAll(() => server.stop());

  it('wins over Host and proxy', async () => {
    const expected = both('https://saves.example/store');
    expect(await urls(server, {})).toEqual(expected);
    expect(await urls(server, { host: 'example.org', ...PROXY })).toEqual(expected);
  });

  it('is the Location of what was uploaded', async () => {
    const answer = await sendRequest(server.url, {
      method: 'POST',
      path: CREATE,
      headers: { 'content-type': 'application/json' },
      body: '{"data":{"key":"a/b"}}',
    });
    const form: Form = formOf(answer);
    // As a proxy that takes the path's first part off sends it on.
    const uploaded = await sendForm(server, form, {}, { path: '/uploads' });
    expect(uploaded.xml['Location']).toBe('https://saves.example/store/uploads/a%2Fb');
  });
});

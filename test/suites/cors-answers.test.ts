import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendS3 } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { ask, done } from './ask.ts';

/** Which pages a bucket's CORS rules let read its answers, and what each of them is told. */

let server: S3Server;

const RULES: readonly (readonly [method: string, origin: string, more?: string])[] = [
  ['GET', '*suffix'],
  ['GET', 'start*end'],
  ['GET', 'prefix*'],
  [
    'PUT',
    '*.put',
    '<AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds>',
  ],
];

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('ruled', 'public-read-write');
  const rules = RULES.map(
    ([method, origin, more = '']) =>
      `<CORSRule><AllowedMethod>${method}</AllowedMethod><AllowedOrigin>${origin}</AllowedOrigin>${more}</CORSRule>`,
  );
  const body = `<CORSConfiguration>${rules.join('')}</CORSConfiguration>`;
  await done(server, { method: 'PUT', path: '/ruled?cors', body });
});

afterAll(() => server.stop());

describe('a page', () => {
  it.each<[string, string, string | null]>([
    ['foo.suffix', 'GET', 'foo.suffix'],
    ['foo.bar', 'GET', null],
    ['foo.suffix.get', 'GET', null],
    ['startend', 'GET', 'startend'],
    ['start12end', 'GET', 'start12end'],
    ['0start12end', 'GET', null],
    ['prefix', 'GET', 'prefix'],
    ['prefix.suffix', 'GET', 'prefix.suffix'],
    ['bla.prefix', 'GET', null],
    ['foo.put', 'PUT', 'foo.put'],
    ['foo.put', 'GET', null],
  ])('of %s may %s what a rule says, before and after asking', async (origin, method, allowed) => {
    const path = '/ruled/object';
    const answer = await sendS3(server.url, { method, path, headers: { origin }, body: '' });
    expect(answer.headers.get('access-control-allow-origin')).toBe(allowed);
    const preflight = await sendS3(server.url, {
      method: 'OPTIONS',
      path,
      headers: { origin, 'access-control-request-method': method },
    });
    expect(preflight.status).toBe(allowed === null ? 403 : 200);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(allowed);
    if (allowed === null) {
      expect(preflight.xml).toMatchObject({ Code: 'AccessForbidden', Method: method });
      expect(preflight.xml['Message']).toMatch(/^CORSResponse: This CORS request is not allowed\./);
    }
  });

  it('sends the headers that a rule allows, and reads those that it exposes', async () => {
    const preflight = (names: string) =>
      sendS3(server.url, {
        method: 'OPTIONS',
        path: '/ruled/object',
        headers: {
          origin: 'a.put',
          'access-control-request-method': 'PUT',
          'access-control-request-headers': names,
        },
      });
    expect((await preflight('x-amz-meta-a, content-type')).status).toBe(403);
    const allowed = await preflight('x-amz-meta-a, X-AMZ-Date');
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-headers': 'x-amz-meta-a, x-amz-date',
      'access-control-allow-methods': 'PUT',
      'access-control-expose-headers': 'ETag',
      'access-control-max-age': '5',
    });
  });
});

describe('PutBucketCors', () => {
  const put = (rule: string) =>
    ask(server, {
      method: 'PUT',
      path: '/ruled?cors',
      body: `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>`,
    });
  const origin = '<AllowedOrigin>*</AllowedOrigin>';

  it.each(['get', '', 'PATCH', 'OPTIONS', '*'])('has no method %j', async (method) => {
    const answer = await put(`${origin}<AllowedMethod>${method}</AllowedMethod>`);
    expect([answer.status, answer.xml['Code']]).toEqual([400, 'InvalidRequest']);
    expect(answer.xml['Message']).toBe(
      `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
    );
  });

  it.each(['invalid header', 'X-Custom:Header', 'X(Custom)', 'Bad/Header', 'X[Key]', 'Bad=Name'])(
    'has no header %j',
    async (header) => {
      for (const name of ['AllowedHeader', 'ExposeHeader']) {
        const answer = await put(
          `${origin}<AllowedMethod>GET</AllowedMethod><${name}>${header}</${name}>`,
        );
        expect([answer.status, answer.xml['Code']]).toEqual([400, 'InvalidRequest']);
        expect(answer.xml['Message']).toBe(`${name} "${header}" contains invalid character.`);
      }
    },
  );
});

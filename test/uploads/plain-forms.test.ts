import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Answer, sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  AS_ADMIN,
  FORM_TYPE,
  formBody,
  type S3Server,
  startS3Server,
  type Upload,
} from '../support/s3-server.ts';
import { type Pairs, signForm } from '../support/sign-form.ts';

/** Forms with nothing unusual go past Koa: a query, which says nothing here, sends them through it. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
  await server.makeBucket('plain');
  await server.makeBucket('ruled');
  const rules =
    '<CORSConfiguration><CORSRule><AllowedOrigin>https://page.example</AllowedOrigin><AllowedMethod>POST</AllowedMethod><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>';
  const put = { method: 'PUT', path: '/ruled?cors', headers: AS_ADMIN, body: Buffer.from(rules) };
  expect((await sendS3(server.url, put)).status).toBe(200);
});

afterAll(() => server.stop());

function signed(fields: Record<string, string>, bucket = 'plain'): Pairs {
  return signForm({ pair: ADMIN_KEY, version: 'v4', bucket, fields: { key: 'k/ü', ...fields } });
}

/** Without what differs from answer to answer. */
function comparable({ status, headers, text }: S3Answer) {
  const ids = ['x-request-id', 'x-amz-request-id', 'date'];
  const names = [...headers.keys()];
  for (const id of ids) expect(names).toContain(id);
  return {
    status,
    headers: [...headers].filter(([name]) => !ids.includes(name)),
    text: text.replace(/<RequestId>.*<\/RequestId>/, ''),
  };
}

type Sent = Omit<Upload, 'file' | 'filename'>;

const CASES: readonly (readonly [what: string, status: number, sent: () => Sent])[] = [
  ['is stored', 204, () => ({ pairs: signed({}) })],
  ['asks for 200', 200, () => ({ pairs: signed({ success_action_status: '200' }) })],
  ['asks for 201', 201, () => ({ pairs: signed({ success_action_status: '201' }) })],
  [
    'asks for a redirect',
    303,
    () => ({ pairs: signed({ success_action_redirect: 'https://page.example/ü?a=b' }) }),
  ],
  ['has a checksum', 204, () => ({ pairs: [...signed({}), ['x-amz-checksum-crc32', 'y/Q5Jg==']] })],
  ['goes to no path', 204, () => ({ path: '/', pairs: signed({}) })],
  ['goes to a path with a slash', 204, () => ({ path: '/plain/', pairs: signed({}) })],
  ['goes to no bucket', 404, () => ({ path: '/absent', pairs: signed({}, 'absent') })],
  ['goes to no possible bucket', 404, () => ({ path: '/-', pairs: signed({}, '-') })],
  ['has another policy', 403, () => ({ pairs: [...signed({}), ['acl', 'private']] })],
  ['is anonymous', 403, () => ({ pairs: [['key', 'k']] })],
  ['has no key', 400, () => ({ pairs: [] })],
  [
    'has wrong Basic credentials',
    401,
    () => ({ pairs: [['key', 'k']], headers: { authorization: 'Basic YTpi' } }),
  ],
  ['is no form', 412, () => ({ pairs: [], headers: { 'content-type': 'text/plain' } })],
  [
    'expects another owner',
    403,
    () => ({ pairs: signed({}), headers: { 'x-amz-expected-bucket-owner': '1' } }),
  ],
  [
    'comes from a page',
    204,
    () => ({ pairs: signed({}), headers: { origin: 'https://a.example' } }),
  ],
  ['comes from a page that rules name', 204, () => fromPage('https://page.example')],
  ['comes from a page that rules do not name', 204, () => fromPage('https://a.example')],
];

function fromPage(origin: string): Sent {
  return { path: '/ruled', pairs: signed({}, 'ruled'), headers: { origin } };
}

describe('a form that', () => {
  it.each(CASES)('%s is answered %i, the same way with a query', async (_what, status, make) => {
    const { path = '/plain', pairs, headers = {} } = make();
    const send = (query: string): Promise<S3Answer> =>
      sendS3(server.url, {
        method: 'POST',
        path: path + query,
        headers: { 'content-type': FORM_TYPE, ...headers },
        body: formBody(pairs, '123456789'),
      });
    const plain = comparable(await send(''));
    expect(plain.status, plain.text).toBe(status);
    expect(plain).toEqual(comparable(await send('?x=y')));
  });
});

it('a form is logged as any request', async () => {
  await server.upload({ path: '/plain', pairs: signed({ key: 'logged' }), file: 'bytes' });
  await server.read('plain', 'logged');
  const line = server
    .log()
    .split('\n')
    .find((text) => text.includes('"object":"plain/logged"'));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    msg: 'request',
    via: 'http',
    method: 'POST',
    path: '/plain',
    status: 204,
    user: 'admin',
    accessKeyId: ADMIN_KEY.accessKeyId,
  });
});

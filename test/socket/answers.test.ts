import { STATUS_CODES } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { admin, answers, ask, type Client, connect, request, toAnswer } from './client.ts';

let server: TestServer;
let rest: Rest;
let client: Client;
beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
  client = await connect(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

describe('an answer', () => {
  it('comes on the event where no acknowledgement was asked for', async () => {
    const [next] = [answers(client, 1)];
    client.emit('http message', {
      auth: admin,
      url: '/data/by-event',
      method: 'POST',
      data: { a: 1 },
    });
    const { headers, ...rest } = (await next)[0] ?? {};
    expect(rest).toEqual({
      method: 'POST',
      url: '/data/by-event',
      status: 201,
      statusText: 'Created',
      data: { a: 1 },
    });
    expect(headers).toMatchObject({ location: '/data/by-event' });
  });

  it('comes on the event and through the acknowledgement, once each and the same', async () => {
    const onEvent: unknown[] = [];
    const onAck: unknown[] = [];
    const collect = (answer: unknown) => void onEvent.push(answer);
    client.on('http message', collect);
    client.emit('http message', { method: 'GET', url: '/api/health', id: 1 }, (answer: unknown) =>
      onAck.push(answer),
    );
    // Both answers to the first envelope precede this one's, or come with it.
    await request(client, 'GET', '/data/by-event');
    await request(client, 'GET', '/data/by-event');
    client.off('http message', collect);
    expect(onAck).toHaveLength(1);
    expect(onEvent.filter((answer) => toAnswer(answer).id === 1)).toEqual(onAck);
    expect(onEvent).toHaveLength(3);
  });

  it.each([
    ['a text', 'seven'],
    ['the empty text', ''],
    ['a number', 7.5],
    ['zero', 0],
    ['true', true],
    ['false', false],
    ['null', null],
    ['an object', { a: [1, { b: null }], ['__proto__']: 1 }],
    ['an array', [1, 'two', [3]]],
    ['text outside the first plane', '𝄞 é \u0000'],
  ])('echoes %s as id', async (_name, id) => {
    const good = await ask(client, { method: 'GET', url: '/api/health', id });
    expect(good.id).toStrictEqual(id);
    const bad = await ask(client, { url: 7, id });
    expect(bad).toMatchObject({ status: 400 });
    expect(bad.id).toStrictEqual(id);
  });

  it('has an id only where the envelope has one', async () => {
    expect(await ask(client, { method: 'GET', url: '/api/health' })).not.toHaveProperty('id');
  });

  it('has method and url as they were sent', async () => {
    const url = '/data/a%20b?x=%C3%A9';
    expect(await request(client, 'GET', url)).toMatchObject({ method: 'GET', url, status: 404 });
    expect(await request(client, 'BREW', '/data/tea')).toMatchObject({
      method: 'BREW',
      url: '/data/tea',
      status: 400,
    });
  });

  it('has the standard reason as statusText', async () => {
    const seen = await Promise.all([
      request(client, 'GET', '/data/nothing'),
      request(client, 'GET', '/data'),
      request(client, 'PUT', '/data'),
      request(client, 'POST', '/data/by-event', {}),
      request(client, 'POST', '/data/text', {}, { 'content-type': 'text/plain' }),
      ask(client, { method: 'GET', url: '/data' }),
      ask(client, 7),
    ]);
    expect(seen.map(({ status }) => status)).toEqual([404, 200, 405, 406, 415, 401, 400]);
    for (const { status, statusText } of seen) expect(statusText).toBe(STATUS_CODES[status]);
  });

  it('has no data where there is no body', async () => {
    const created = await request(client, 'POST', '/data/short-lived', { a: 1 });
    const etag = created.headers?.etag ?? '';
    const head = await request(client, 'HEAD', '/data/short-lived');
    expect(head).toMatchObject({ status: 200, headers: { etag } });
    expect(head).not.toHaveProperty('data');
    const unchanged = await request(client, 'GET', '/data/short-lived', undefined, {
      'if-none-match': etag,
    });
    expect(unchanged).toMatchObject({ status: 304, statusText: 'Not Modified', headers: { etag } });
    expect(unchanged).not.toHaveProperty('data');
    const deleted = await request(client, 'DELETE', '/data/short-lived');
    expect(deleted).toMatchObject({ status: 204, statusText: 'No Content' });
    expect(deleted).not.toHaveProperty('data');
  });

  it('carries etag and location like REST, and no headers where there is none to carry', async () => {
    const created = await request(client, 'POST', '/data/a%2Fb%20c', {});
    expect(created).toMatchObject({ status: 201, headers: { location: '/data/a/b%20c' } });
    const read = await rest('GET', '/data/a/b%20c');
    expect(created.headers?.etag).toBe(read.headers.get('etag'));
    expect((await request(client, 'GET', '/data/a/b%20c')).headers).toEqual({
      etag: created.headers?.etag,
    });
    const health = await ask(client, { method: 'GET', url: '/api/health' });
    expect(health).not.toHaveProperty('headers');
  });

  it('has the error bodies of REST', async () => {
    for (const [method, path] of [
      ['GET', '/data/absent'],
      ['DELETE', '/data/absent'],
      ['GET', '/data/%zz'],
      ['GET', '/data?limit=0'],
      ['GET', '/api/unknown'],
      ['POST', '/api/users'],
      ['DELETE', '/api/users/nobody'],
      ['PUT', '/data/absent'],
    ] as const) {
      const overHttp = await rest(method, path);
      expect(await request(client, method, path), `${method} ${path}`).toMatchObject({
        status: overHttp.status,
        data: overHttp.json,
      });
    }
  });
});

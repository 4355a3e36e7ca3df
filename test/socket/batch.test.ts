import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswers, parseRefusal, post, put } from '../support/batch.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Client, connect, request } from './client.ts';

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

const batch = (data: unknown, headers?: Record<string, string>) =>
  request(client, 'POST', '/api/batch', data, headers);

describe('a batch in an envelope', () => {
  it('is stored as one, and its answer has that of each member', async () => {
    const answer = await batch([post('s/a', { n: 1 }), post('s/b', [])]);
    expect(answer).toMatchObject({ status: 200, url: '/api/batch', method: 'POST' });
    const answers = parseAnswers(answer.data);
    expect(answers.map(({ status, data }) => [status, data])).toEqual([
      [201, { n: 1 }],
      [201, []],
    ]);
    const { headers } = await rest('GET', '/data/s/b');
    expect(headers.get('etag')).toBe(answers[1]?.headers?.etag);
  });

  it('is refused as one', async () => {
    const answer = await batch([post('s/c'), put('s/none', {})]);
    expect(answer.status).toBe(409);
    expect(parseRefusal(answer.data).answers).toMatchObject([{ index: 1, status: 404 }]);
    expect((await rest('GET', '/data/s/c')).status).toBe(404);
  });

  it('loses nothing of what is sent and asked for as text', async () => {
    const text = '{"n": 1.0, "big": 12345678901234567890}';
    const answer = await batch(`[{"url":"/data/s/text","method":"POST","data":${text}}]`, {
      'content-type': 'application/json',
      accept: 'text/plain',
    });
    expect(answer.data).toContain(`"data":${text}`);
    expect((await rest('GET', '/data/s/text')).text).toBe(text);
  });

  it.each([
    ['nothing', undefined],
    ['an object', {}],
    ['a member that reads', [{ url: '/data/s/a', method: 'GET' }]],
  ])('that is %s is a 400', async (_name, data) => {
    expect((await batch(data)).status).toBe(400);
  });

  it('wants credentials', async () => {
    const answer = await new Promise((resolve) => {
      client.emit('http message', { url: '/api/batch', method: 'POST', data: [] }, resolve);
    });
    expect(answer).toMatchObject({ status: 401 });
  });
});

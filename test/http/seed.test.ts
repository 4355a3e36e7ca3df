import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The REST examples of `create-data-by-key.md`, verbatim, credentials of its envelope added. */

const sampleData = `{
    "message": "New Data Key",
    "created": "10/2/2020 08:25:12"
}`;

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer({ env: { ADMIN_USER: 'admin', ADMIN_PASSWORD: 'a1b2c3d4' } });
  const client = createRest(server.url, 'admin', 'a1b2c3d4');
  rest = (method, path, body) =>
    client(method, path, body, {
      'content-type': 'application/json',
      accept: 'application/json',
    });
});

afterAll(() => server.stop());

describe('POST /data/{{key}}', () => {
  it('201 CREATED reflects back the newly created key store', async () => {
    const answer = await rest('POST', '/data/test', sampleData);
    expect(answer.status).toBe(201);
    expect(answer.text).toBe(sampleData);
  });

  it('takes empty data to precreate a storage key', async () => {
    const answer = await rest('POST', '/data/precreated', '{}');
    expect([answer.status, answer.text]).toEqual([201, '{}']);
    const bodiless = await rest('POST', '/data/precreated-too');
    expect([bodiless.status, bodiless.text]).toEqual([201, '{}']);
  });

  it('400 BAD REQUEST if the provided data is invalid', async () => {
    expectError(await rest('POST', '/data/invalid', 'sgdgsdjhgsjdskgd'), 400);
    expectError(await rest('GET', '/data/invalid'), 404, 'invalid not found.');
  });

  it('406 NOT ACCEPTABLE if the provided data key exists in storage', async () => {
    const answer = await rest('POST', '/data/test', sampleData);
    expect(answer.status).toBe(406);
    expect(answer.json).toEqual({ error: 'test already exists.' });
  });

  it('requires Basic auth', async () => {
    const response = await fetch(`${server.url}/data/test`, { method: 'POST', body: sampleData });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
    await response.body?.cancel();
  });
});

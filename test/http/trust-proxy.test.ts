import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import type { RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** `TRUST_PROXY=on`: the last X-Forwarded-For is the client, X-Forwarded-Host the host. */

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { TRUST_PROXY: 'on' } });
});

afterAll(() => server.stop());

function login(password: string, forwardedFor: string): Promise<RestAnswer> {
  return sendRequest(server.url, {
    path: '/data',
    credentials: { username: 'admin', password },
    headers: { 'x-forwarded-for': forwardedFor },
  });
}

describe('TRUST_PROXY=on', () => {
  it('counts failures per client, whom the nearest proxy names last', async () => {
    let status = 401;
    for (let attempt = 0; attempt < 50 && status === 401; attempt += 1) {
      // What stands before is the client's own claim.
      ({ status } = await login(`wrong ${attempt}`, `203.0.113.${attempt}, 192.0.2.1`));
    }
    expect(status).toBe(429);
    expectError(await login(server.password, '192.0.2.1'), 429);
    expect((await login(server.password, '192.0.2.2')).status).toBe(200);
  });

  it('logs the client', async () => {
    const id = (await login(server.password, '192.0.2.77')).headers.get('x-request-id') ?? '';
    const line = () =>
      server
        .log()
        .split('\n')
        .find((found) => found.includes(`"${id}"`));
    await expect.poll(line).toContain('"address":"192.0.2.77"');
  });

  it('takes the host of the proxy for its own', async () => {
    const send = (origin: string) =>
      sendRequest(server.url, {
        path: '/data',
        headers: { origin, 'x-forwarded-host': 'public.example', 'x-forwarded-proto': 'https' },
      });
    expect((await send('https://public.example')).status).toBe(200);
    expectError(await send('https://evil.example'), 403);
    expectError(await send(server.url), 403);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connect, request } from './client.ts';
import { handshake } from './raw-polling.ts';
import { openWebsocket } from './raw-websocket.ts';

const ALLOWED = 'https://app.example';

let closed: TestServer;
let shared: TestServer;
beforeAll(async () => {
  [closed, shared] = await Promise.all([
    startServer(),
    startServer({ env: { CORS_ORIGINS: `${ALLOWED}, https://other.example` } }),
  ]);
});
afterAll(() => Promise.all([closed.stop(), shared.stop()]));

/** What the upgrade to a websocket is answered with: 101 where it is let in. */
async function upgradeStatus(url: string, headers: Record<string, string>): Promise<number> {
  const answer = await openWebsocket(url, headers);
  if ('status' in answer) return answer.status;
  answer.tcp.destroy();
  return 101;
}

describe('the handshake of a page', () => {
  it.each([
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['the origin null', { origin: 'null' }],
    ['the same host on another port', { origin: 'http://127.0.0.1:1' }],
    ['what a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['an origin that only begins like an allowed one', { origin: `${ALLOWED}.evil.example` }],
    ['an allowed host with another scheme', { origin: 'http://app.example' }],
  ])('is refused with 403 from %s', async (_name, headers: Record<string, string>) => {
    for (const { url } of [closed, shared]) {
      expect((await handshake(url, headers)).status, 'polling').toBe(403);
      expect(await upgradeStatus(url, headers), 'websocket').toBe(403);
    }
  });

  it('is refused from an origin that CORS_ORIGINS does not list, and so is its client', async () => {
    for (const transport of ['websocket', 'polling']) {
      const options = { transports: [transport], extraHeaders: { origin: ALLOWED } };
      await expect(connect(closed.url, options), transport).rejects.toThrow();
    }
  });

  it('is let in from an origin in CORS_ORIGINS, which may read the answers', async () => {
    const answer = await handshake(shared.url, { origin: ALLOWED, 'sec-fetch-site': 'cross-site' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ALLOWED);
    expect(await upgradeStatus(shared.url, { origin: ALLOWED })).toBe(101);
    for (const transport of ['websocket', 'polling']) {
      const client = await connect(shared.url, {
        transports: [transport],
        extraHeaders: { origin: ALLOWED },
      });
      expect(await request(client, 'GET', '/data')).toMatchObject({ status: 200 });
      client.disconnect();
    }
  });

  it('is let in from the server itself, and without an origin', async () => {
    const own: Record<string, string>[] = [
      { origin: closed.url },
      { origin: closed.url, 'sec-fetch-site': 'same-origin' },
      {},
    ];
    for (const headers of own) {
      expect((await handshake(closed.url, headers)).status).toBe(200);
      expect(await upgradeStatus(closed.url, headers)).toBe(101);
    }
  });

  it('tells no other origin that it may read answers', async () => {
    for (const { url } of [closed, shared]) {
      const answer = await handshake(url, { origin: 'https://evil.example' });
      expect(answer.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
      expect(answer.headers.get('access-control-allow-origin')).not.toBe('*');
    }
  });
});

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type RestAnswer } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** bcrypt has a queue of its own, which is bounded; the event loop goes on meanwhile. */

let server: ServerProcess;

beforeAll(async () => {
  // So many take seconds, however slowly they arrive.
  server = await startProcess({ env: { BCRYPT_COST: '10' } });
});

// Killed, for it would finish all those passwords first.
afterAll(async () => {
  await server.kill();
  await rm(server.folder, { recursive: true, force: true });
});

describe('a flood of passwords', () => {
  it('is answered 503 with Retry-After once too many wait, and holds up nobody else', async () => {
    const rest = createRest(server.url);
    await rest('POST', '/data/there', '{"a":1}');
    const refusals: RestAnswer[] = [];
    let verified = 0;
    const flood = Array.from({ length: 300 }, async (_, n) => {
      // One attempt each from many addresses: no throttle sees a pattern.
      const answer = await sendRequest(server.url, {
        path: '/data',
        credentials: { username: `user-${n}`, password: 'p' },
        localAddress: `127.1.${n >> 7}.${(n & 127) + 1}`,
      });
      if (answer.status === 401) verified += 1;
      else refusals.push(answer);
    });
    // The sockets of those still waiting are cut off by the end of the server.
    for (const one of flood) one.catch(() => undefined);
    await expect.poll(() => refusals.length).toBeGreaterThan(20);

    // Who is in already reads and writes on, in less time than the passwords before them take.
    for (let times = 0; times < 20; times += 1) {
      expect((await rest('GET', '/data/there')).status).toBe(200);
    }
    expect(verified + refusals.length).toBeLessThan(flood.length);
    for (const refusal of refusals) {
      expectError(refusal, 503);
      expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
  });
});

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { sendRequest } from '../support/http-request.ts';
import type { RestAnswer } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** Failures are slowed down per address and user, and per address; nobody is locked out by others. */

let server: ServerProcess;

beforeAll(async () => {
  // A hundred passwords take a second or more: what is sent at once arrives while they are verified.
  server = await startProcess({ env: { BCRYPT_COST: '8' } });
});

// Killed, for it would finish the passwords of the last test first.
afterAll(async () => {
  await server.kill();
  await rm(server.folder, { recursive: true, force: true });
});

function login(username: string, password: string, localAddress: string): Promise<RestAnswer> {
  return sendRequest(server.url, {
    path: '/data',
    credentials: { username, password },
    localAddress,
  });
}

/** Wrong passwords, one after the other, until the server has enough. */
async function failUntilThrottled(
  localAddress: string,
  nameOf: (attempt: number) => string,
): Promise<{ attempts: number; refusal: RestAnswer }> {
  for (let attempts = 1; attempts <= 300; attempts += 1) {
    const answer = await login(nameOf(attempts), `wrong ${attempts}`, localAddress);
    if (answer.status !== 401) return { attempts, refusal: answer };
  }
  throw new Error('300 wrong passwords were not too many.');
}

function expectThrottled(answer: RestAnswer): void {
  expectError(answer, 429, /wait/);
  const seconds = Number(answer.headers.get('retry-after'));
  expect(Number.isSafeInteger(seconds) && seconds >= 1 && seconds <= 3_600).toBe(true);
}

describe('repeated failures from one address', () => {
  it('for one user become 429 with Retry-After; another address and user are unaffected', async () => {
    const { attempts, refusal } = await failUntilThrottled('127.0.0.2', () => 'admin');
    expectThrottled(refusal);
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(50);
    // The right password does not help there now: else guessing could go on.
    expectThrottled(await login('admin', server.password, '127.0.0.2'));
    // The user is not locked out elsewhere, nor is the address for other users.
    expect((await login('admin', server.password, '127.0.0.3')).status).toBe(200);
    expectError(await login('someone', 'x', '127.0.0.2'), 401);
    // Nor is who has just been let in, behind the same address.
    expect((await login('admin', server.password, '127.0.0.2')).status).toBe(200);
    // Who claims to be somewhere else is still here.
    const elsewhere = await sendRequest(server.url, {
      path: '/data',
      credentials: { username: 'admin', password: 'wrong' },
      localAddress: '127.0.0.2',
      headers: { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' },
    });
    expectThrottled(elsewhere);
  });

  it('are counted for parallel attempts as well', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, attempt) => login('admin', `guess ${attempt}`, '127.0.0.6')),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(50);
  });
});

describe('requests without credentials', () => {
  it('are no failures: a browser asks that way first', async () => {
    for (let times = 0; times < 150; times += 1) {
      const answer = await sendRequest(server.url, {
        path: '/data',
        credentials: null,
        localAddress: '127.0.0.20',
      });
      expect(answer.status).toBe(401);
    }
    expect((await login('admin', server.password, '127.0.0.20')).status).toBe(200);
  });
});

describe('failures over all users', () => {
  it('from one address become 429 as well; other addresses are unaffected', async () => {
    const flood = Array.from({ length: 250 }, (_, n) => login(`user-${n}`, 'x', '127.0.0.7'));
    const verdicts = await Promise.all(flood);
    const failed = verdicts.filter(({ status }) => status === 401);
    // What was under way counts too: the rest was told to come again, not that it had failed.
    expect(failed).toHaveLength(100);
    expect(verdicts.filter(({ status }) => status === 503)).toHaveLength(150);
    expectThrottled(await login('user-251', 'x', '127.0.0.7'));
    expect((await login('admin', server.password, '127.0.0.8')).status).toBe(200);
  });
});

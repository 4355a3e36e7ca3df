import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../support/http-request.ts';
import { createRest, type Rest, type RestAnswer } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What shows only where bcrypt takes its time. */

let server: TestServer;
let admin: Rest;
let addresses = 10;

beforeAll(async () => {
  server = await startServer({ env: { BCRYPT_COST: '10' } });
  admin = createRest(server.url);
  await admin('POST', '/data/there', '{"a":1}');
});

afterAll(() => server.stop());

/** Failures count per address, so a test that fails on purpose comes from one of its own. */
function ownAddress(): string {
  addresses += 1;
  return `127.0.0.${addresses}`;
}

function login(username: string, password: string, localAddress: string): Promise<RestAnswer> {
  const credentials = { username, password };
  return sendRequest(server.url, { path: '/data/there', credentials, localAddress });
}

function makeMember(name: string, password: string): Promise<RestAnswer> {
  const grants = [{ prefix: 'data/', access: 'read' }];
  return admin('PUT', `/api/users/${name}`, { password, role: 'member', grants });
}

describe('credentials that were just verified', () => {
  it('are out for requests that race with the change: none that begins after it gets through', async () => {
    await makeMember('racing', 'old');
    const racing = createRest(server.url, 'racing', 'old');
    await racing('GET', '/data/there');
    let isChanged = false;
    const late: number[] = [];
    const reader = async (): Promise<void> => {
      for (let times = 0; times < 100; times += 1) {
        const wasChanged = isChanged;
        const { status } = await racing('GET', '/data/there');
        if (wasChanged) late.push(status);
        if (late.length > 3) return;
      }
    };
    const change = makeMember('racing', 'new').then(() => {
      isChanged = true;
    });
    await Promise.all([change, reader(), reader()]);
    await change;
    late.push((await racing('GET', '/data/there')).status);
    for (const status of late) expect([401, 429]).toContain(status);
  });

  it('are not hashed again: one of fifty requests costs less than bcrypt', async () => {
    await makeMember('cached', 'p');
    const cached = createRest(server.url, 'cached', 'p');
    const first = await timed(() => cached('GET', '/data/there'));
    const others: number[] = [];
    for (let times = 0; times < 50; times += 1) {
      others.push(await timed(() => cached('GET', '/data/there')));
    }
    // The median: a machine that stands still for a moment makes some of them slow.
    expect(median(others)).toBeLessThan(first / 2);
  });
});

describe('the time of a refusal', () => {
  it('is the same whether or not the user exists', async () => {
    await makeMember('timed', 'p');
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const address = ownAddress();
      known.push(await timed(() => login('timed', `wrong ${round}`, address)));
      unknown.push(await timed(() => login('nobody', `wrong ${round}`, address)));
    }
    // Whatever else goes on only adds to what bcrypt takes.
    const [one, other] = [Math.min(...known), Math.min(...unknown)];
    // Only a sanity check: without bcrypt it would be a factor of fifty.
    expect(Math.max(one, other) / Math.min(one, other)).toBeLessThan(4);
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

describe('many first requests at once', () => {
  it('with one password all get through', async () => {
    await makeMember('crowd', 'p');
    const crowd = createRest(server.url, 'crowd', 'p');
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => crowd('GET', '/data/there')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

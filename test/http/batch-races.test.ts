import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from '../support/batch.ts';
import { runs } from '../support/long-runs.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Batches and single requests at once over the same keys. */

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** All of the documents as one moment had them. */
async function snapshot(prefix: string): Promise<{ n: number; by: number }[]> {
  const accept = { accept: 'application/x-ndjson' };
  const { text } = await rest('GET', `/data?prefix=${prefix}`, undefined, accept);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).value);
}

describe('batches at once over the same keys', () => {
  it('in any order of keys: each whole, and none waits for ever', async () => {
    const keys = Array.from({ length: 12 }, (_, n) => `whole/${n}`);
    await rest(
      'POST',
      '/api/batch',
      keys.map((key) => post(key, { n: 0, by: -1 })),
    );
    let isWriting = true;
    const reading = (async () => {
      let seen = 0;
      while (isWriting) {
        const rows = await snapshot('whole/');
        expect(new Set(rows.map(({ by }) => by)).size).toBe(1);
        seen += 1;
      }
      return seen;
    })();
    const answers = await times(runs(60, 200), (by) => {
      const order = keys.toSorted((a, b) => ((by * 7) % 5) - 2 || a.localeCompare(b));
      if (by % 2) order.reverse();
      const members = order.map((key) => ({
        url: `/data/${key}`,
        method: 'PATCH',
        data: { by },
      }));
      return rest('POST', '/api/batch', members);
    });
    isWriting = false;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await reading).toBeGreaterThan(0);
    expect(new Set((await snapshot('whole/')).map(({ by }) => by)).size).toBe(1);
  });

  it('that move amounts between documents lose and make none', async () => {
    const accounts = 5;
    await rest(
      'POST',
      '/api/batch',
      Array.from({ length: accounts }, (_, n) => post(`account/${n}`, { n: 100, by: 0 })),
    );
    const moves = await times(8, async (client) => {
      let done = 0;
      for (let turn = 0; turn < runs(10, 40); turn += 1) {
        const [from, to] = [(client + turn) % accounts, (client + turn * 2 + 1) % accounts];
        if (from === to) continue;
        const reads = await Promise.all([from, to].map((n) => rest('GET', `/data/account/${n}`)));
        const members = reads.map(({ text, headers }, side) => ({
          url: `/data/account/${side === 0 ? from : to}`,
          method: 'PUT',
          data: { n: JSON.parse(text).n + (side === 0 ? -1 : 1), by: client },
          headers: { 'if-match': headers.get('etag') ?? '' },
        }));
        const { status } = await rest('POST', '/api/batch', members);
        expect([200, 409]).toContain(status);
        if (status === 200) done += 1;
      }
      return done;
    });
    expect(moves.reduce((sum, done) => sum + done, 0)).toBeGreaterThan(0);
    const rows = await snapshot('account/');
    expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(accounts * 100);
  });

  it('beside single patches lose no member', async () => {
    await rest('POST', '/api/batch', [post('mixed/a'), post('mixed/b')]);
    const count = runs(60, 400);
    const answers = await times(count, (n) => {
      const data = { [`m${n}`]: n };
      if (n % 2) return rest('PATCH', `/data/mixed/${n % 4 === 1 ? 'a' : 'b'}`, data);
      const members = ['b', 'a'].map((key) => ({
        url: `/data/mixed/${key}`,
        method: 'PATCH',
        data,
      }));
      return rest('POST', '/api/batch', members);
    });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const [a, b] = await Promise.all(['a', 'b'].map((key) => rest('GET', `/data/mixed/${key}`)));
    const names = Object.keys({ ...Object(a?.json), ...Object(b?.json) });
    expect(names).toHaveLength(count);
    expect(Object.keys(Object(a?.json))).toHaveLength((count * 3) / 4);
  });

  it('that create one key: exactly one does, with all that it brings', async () => {
    const answers = await times(40, (n) =>
      n % 4 === 0
        ? rest('POST', '/data/once/shared', { n })
        : rest('POST', '/api/batch', [post(`once/own-${n}`, { n }), post('once/shared', { n })]),
    );
    const winners = answers.flatMap(({ status }, n) => (status < 300 ? [n] : []));
    expect(winners).toHaveLength(1);
    const [winner = 0] = winners;
    const keys = (await rest('GET', '/data?prefix=once/')).json;
    expect(keys).toEqual(
      winner % 4 === 0 ? ['once/shared'] : [`once/own-${winner}`, 'once/shared'],
    );
  });
});

describe('a user who is changed', () => {
  it('while a batch is under way stores all of it, or nothing', async () => {
    const grants = [{ prefix: 'data/rights/', access: 'write' }];
    await rest('PUT', '/api/users/mover', { role: 'member', password: 'p', grants });
    const mover = createRest(server.url, 'mover', 'p');
    await mover('GET', '/data');
    const batches = times(20, (n) =>
      mover('POST', '/api/batch', [post(`rights/${n}-a`), post(`rights/${n}-b`)]),
    );
    await rest('PUT', '/api/users/mover', { role: 'member', grants: [] });
    const answers = await batches;
    for (const { status } of answers) expect([200, 401, 409]).toContain(status);
    const keys: unknown = (await rest('GET', '/data?prefix=rights/')).json;
    const stored = answers.filter(({ status }) => status === 200).length;
    expect(keys).toHaveLength(stored * 2);
  });
});

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../server/drivers/postgres/postgres-store.ts';
import { isUncertain, type KvMutation, type KvStore } from '../../server/stores/kv-store.ts';
import { isLongRun } from '../support/long-runs.ts';
import { type PostgresPair, startPostgresPair } from '../support/postgres-pair.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** A primary with a synchronous standby: what is acknowledged is on both. */

function put(key: string): KvMutation {
  return { type: 'put', key, value: Buffer.from('v') };
}

// Needs Debian's PostgreSQL, which .ci/run installs: the npm package cannot make a standby.
describe.skipIf(!isLongRun)('a synchronous standby', () => {
  let pair: PostgresPair;
  let proxy: TcpProxy;
  let url: string;
  let store: KvStore;

  beforeAll(async () => {
    pair = await startPostgresPair();
    url = await pair.createDatabase();
    proxy = await startTcpProxy({ ports: [pair.primaryPort] });
    const through = new URL(url);
    through.port = String(proxy.port);
    store = await open(through.href);
  });

  afterAll(async () => {
    await store?.close();
    await proxy?.stop();
    await pair?.stop();
  });

  function open(href: string): Promise<KvStore> {
    const onIdleError = (): void => {};
    return openPostgresStore({ url: href, changesKeep: 1_000, now: Date.now, onIdleError });
  }

  async function connections(): Promise<number> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    // A database's own workers, such as autovacuum, come and go.
    const { rows } = await client.query(
      "select 1 from pg_stat_activity where backend_type = 'client backend'",
    );
    await client.end();
    return rows.length;
  }

  /** For the standby. */
  async function commitsThatWait(): Promise<number> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(
      "select 1 from pg_stat_activity where wait_event = 'SyncRep'",
    );
    await client.end();
    return rows.length;
  }

  it('that is away holds back writes, not reads, nor does it take up the connections', async () => {
    await store.commit([], [put('before')]);
    await pair.stopStandby();
    const first = store.commit([], [put('waiting')]).catch((error) => error);
    const others = [await open(url), await open(url)];
    await expect.poll(commitsThatWait).toBe(1);
    const later = await Promise.all(
      others.map((other, i) => other.commit([], [put(`later/${i}`)]).catch((error) => error)),
    );
    for (const error of later) {
      expect(error).toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
      // The one that waits for the standby may be there; those that wait for it are not.
      expect(isUncertain(error)).toBe(false);
    }
    expect(isUncertain(await first)).toBe(true);
    expect((await first).headers).toEqual({});
    expect((await store.get('before'))?.version).toBe(1);
    const before = await connections();
    await Promise.all(
      [store, ...others].map((each) => each.commit([], [put('more')]).catch(() => undefined)),
    );
    expect(await connections()).toBeLessThanOrEqual(before + 2);
    await pair.startStandby();
    await store.commit([], [put('after')]);
    expect((await store.get('waiting'))?.version).toBe(2);
    await Promise.all(others.map((other) => other.close()));
  });

  it('is neither read nor written before it is promoted; then numbers go on 2^32 higher', async () => {
    const last = await store.sequence();
    proxy.pointTo([pair.standbyPort]);
    await expect(store.get('before')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.sequence()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(open(new URL(url).href.replace(/:\d+\//, `:${proxy.port}/`))).rejects.toThrow(
      'a standby that is not promoted',
    );
    const waiting = store.commit([], [put('promoted')]);
    await pair.killPrimary();
    await pair.promoteStandby();
    expect(await waiting).toBe(last + 2 ** 32 + 1);
    expect((await store.get('before'))?.version).toBe(1);
  });
});

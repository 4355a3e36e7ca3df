import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { type PostgresPair, startPostgresPair } from '../support/postgres-pair.ts';
import { type Backends, type StoreSettings, startBackends } from './cluster.ts';
import { CLIENTS, type FaultRun, startFaultRun } from './fault-run.ts';
import { readChanges } from './read-state.ts';

/** As faults.test.ts, with a database that is killed itself: its synchronous standby takes its place. */

// Needs Debian's PostgreSQL, which .ci/run installs: the npm package cannot make a standby.
describe.skipIf(!isLongRun)('a promoted standby', () => {
  let pair: PostgresPair;
  let backends: Backends;
  let settings: StoreSettings;
  let run: FaultRun;

  beforeAll(async () => {
    pair = await startPostgresPair();
    backends = await startBackends({ database: pair });
    settings = await backends.settings();
    run = await startFaultRun(settings);
  });

  afterAll(async () => {
    await run?.stop();
    await backends?.stop();
    await pair?.stop();
  });

  async function faults(): Promise<void> {
    const { nodes, link, progress } = run;
    for (const node of nodes) {
      await node.kill();
      await progress(60);
      await node.start();
      // Until those are told, too, whose writes a node held back for a while.
      await run.cutAtCommit();
      await run.refusal(CLIENTS);
      link.restore();
      await progress(60);
    }
  }

  it('has all that was acknowledged, and goes on 2^32 higher', { timeout: 900_000 }, async () => {
    const { nodes, link, ledger, progress } = run;
    await progress(200);
    await faults();

    const uncertain = ledger.uncertain;
    await pair.killPrimary();
    // Whatever leads to the primary may lead to the standby before that is promoted.
    link.pointTo([pair.standbyPort]);
    await run.refusal();
    for (const node of nodes) expect(await node.readiness()).toBe(503);
    await pair.replayed();
    const promoted = new URL(settings.STORE);
    promoted.port = String(pair.standbyPort);
    const earlier = await readChanges(promoted.href);
    await pair.promoteStandby();
    for (const node of nodes) await expect.poll(() => node.readiness()).toBe(200);
    await progress(200);
    expect(ledger.uncertain).toBeGreaterThan(uncertain);

    await faults();
    await run.finish({ databaseUrl: promoted.href, promotions: 1, earlier });
    const numbers = ledger.writes.flatMap(({ sequence }) => sequence ?? []);
    expect(Math.max(...numbers)).toBeGreaterThan(2 ** 32);
  });
});

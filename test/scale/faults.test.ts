import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { type Backends, type StoreSettings, startBackends } from './cluster.ts';
import { type FaultRun, startFaultRun } from './fault-run.ts';

/**
 * Three nodes behind a plain load balancer, and clients that write through all of them, while nodes are
 * killed and restarted and their database is cut off. failover.test.ts has the database itself killed.
 */

const LOST_ANSWERS = 12;
const ROUNDS = 5;

async function health(url: string): Promise<number> {
  return (await fetch(`${url}/api/health`)).status;
}

/** One node after the other, once the one before is ready; resolves with the number of answers 503. */
async function restartInTurns({ nodes, ledger, progress }: FaultRun): Promise<number> {
  const before = ledger.unavailable;
  for (const node of nodes) {
    expect(await node.terminate()).toBe(0);
    expect(await node.readiness()).toBeUndefined();
    await progress(20);
    await node.start();
  }
  return ledger.unavailable - before;
}

// It takes a quarter of a minute for each round.
describe.runIf(isLongRun)('three nodes', () => {
  let backends: Backends;
  let settings: StoreSettings;
  let run: FaultRun;

  beforeAll(async () => {
    backends = await startBackends();
    settings = await backends.settings();
    run = await startFaultRun(settings);
  });

  afterAll(async () => {
    await run?.stop();
    await backends?.stop();
  });

  it(`lose nothing that they acknowledged, in ${ROUNDS} rounds of faults`, {
    timeout: 240_000 * ROUNDS,
  }, async () => {
    const { nodes, link, progress } = run;
    for (let round = 0; round < ROUNDS; round += 1) {
      await progress(60);
      // kill -9: the balancer passes over who is gone, and the others go on.
      for (const node of nodes.slice(0, 2)) {
        await node.kill();
        await progress(25);
        await node.start();
      }
      // Answers of the database are lost: what was committed is not committed again.
      for (let lost = 0; lost < LOST_ANSWERS; lost += 1) {
        await run.cutAtCommit();
        link.restore();
        await progress(5);
      }
      // It is cut off for longer: clients are told so, and it is found again.
      for (const writes of [20, 40]) {
        const refused = run.refusal();
        await run.cutAtCommit();
        await refused;
        expect(await Promise.all(nodes.map((node) => node.readiness()))).toEqual([503, 503, 503]);
        expect(await Promise.all(nodes.map(({ url }) => health(url)))).toEqual([200, 200, 200]);
        link.restore();
        await progress(writes);
        for (const node of nodes) await expect.poll(() => node.readiness()).toBe(200);
      }
      // Nobody is refused. Where the machine stands still for the 5 s that a request waits, somebody is: once more then.
      let refused = 1;
      for (let attempt = 0; attempt < 3 && refused > 0; attempt += 1) {
        refused = await restartInTurns(run);
      }
      expect(refused).toBe(0);
      await progress(40);
    }
    await run.finish({ promotions: 0, databaseUrl: settings.STORE });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { type Backends, startBackends } from './cluster.ts';
import { startFeedRun } from './feed-run.ts';

/** Every acknowledged write once, in order, at every node, whatever happens to nodes and their database's connections. */

const ROUNDS = 4;

// It takes a quarter of a minute for each round.
describe.runIf(isLongRun)('the feed of three nodes', () => {
  let backends: Backends;

  beforeAll(async () => {
    backends = await startBackends();
  });

  afterAll(() => backends?.stop());

  it('tells every acknowledged write once, in order, at every node', {
    timeout: 60_000 + ROUNDS * 240_000,
  }, async () => {
    const run = await startFeedRun(await backends.settings());
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        await run.progress(60);
        for (const node of run.nodes.slice(0, 2)) {
          await node.kill();
          await run.progress(30);
          await node.start();
        }
        // The connection that listens goes with all others.
        run.link.cut();
        await run.refusal();
        run.link.restore();
        await run.progress(60);
        for (const node of run.nodes) await expect.poll(() => node.readiness()).toBe(200);
      }
      const gaps = await run.finish();
      expect(gaps).toEqual([]);
    } finally {
      await run.stop();
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { type PostgresPair, startPostgresPair } from '../support/postgres-pair.ts';
import { createRest } from '../support/rest.ts';
import { type Backends, startBackends } from './cluster.ts';
import { startFeedRun } from './feed-run.ts';

/** As feed.test.ts, with a database that is killed itself: its synchronous standby takes its place. */

const PROMOTION = 2 ** 32;

// Needs Debian's PostgreSQL, which .ci/run installs: the npm package cannot make a standby.
describe.skipIf(!isLongRun)('the feed over a promoted standby', () => {
  let pair: PostgresPair;
  let backends: Backends;

  beforeAll(async () => {
    pair = await startPostgresPair();
    backends = await startBackends({ database: pair });
  });

  afterAll(async () => {
    await backends?.stop();
    await pair?.stop();
  });

  it('is a 410 for every earlier number at once, and goes on from its `oldest`', {
    timeout: 900_000,
  }, async () => {
    const run = await startFeedRun(await backends.settings());
    try {
      await run.progress(150);
      const before = run.recorders.map(({ last }) => last);
      await pair.killPrimary();
      run.link.pointTo([pair.standbyPort]);
      await run.refusal();
      await pair.replayed();
      await pair.promoteStandby();
      for (const node of run.nodes) await expect.poll(() => node.readiness()).toBe(200);
      for (const [i, { url }] of run.nodes.entries()) {
        const { status, text } = await createRest(url)('GET', `/api/changes?since=${before[i]}`);
        expect(status).toBe(410);
        const { oldest } = JSON.parse(text);
        expect(oldest).toBeGreaterThan(PROMOTION);
        expect((await createRest(url)('GET', `/api/changes?since=${oldest}`)).status).toBe(200);
      }
      await run.progress(150);
      const gaps = await run.finish();
      expect(gaps).toHaveLength(run.recorders.length);
      for (const { after, oldest } of gaps) {
        expect(after).toBeLessThan(PROMOTION);
        expect(oldest).toBeGreaterThan(PROMOTION);
      }
      for (const { last } of run.recorders) expect(last).toBeGreaterThan(PROMOTION);
    } finally {
      await run.stop();
    }
  });
});

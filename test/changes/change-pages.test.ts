import { expect, it } from 'vitest';
import { createChangePages } from '../../server/services/change-pages.ts';
import { ChangesGone, type KvChange } from '../../server/stores/kv-store.ts';

/** Readings of the log that wait until the test answers them. */
function createLog() {
  const readings: {
    after: number;
    answer(changes: KvChange[]): void;
    refuse(error: Error): void;
  }[] = [];
  return {
    readings,
    pages: createChangePages({
      get: () => Promise.resolve(undefined),
      changes: (after) =>
        new Promise((answer, refuse) => {
          readings.push({ after, answer, refuse });
        }),
    }),
  };
}

const change: KvChange = { sequence: 6, type: 'put', key: 'data/a', at: 0 };

it('shares a reading among those who ask for the same, and keeps it', async () => {
  const { pages, readings } = createLog();
  const asked = [pages.read(5), pages.read(5)];
  readings[0]?.answer([change]);
  for (const page of await Promise.all(asked)) expect(page).toMatchObject([{ seq: 6 }]);
  expect(await pages.read(5)).toHaveLength(1);
  expect(readings).toHaveLength(1);
});

it('reads again once there is something newer than a reading under way may have', async () => {
  const { pages, readings } = createLog();
  const early = pages.read(5);
  pages.renew();
  const late = pages.read(5);
  expect(readings).toHaveLength(2);
  readings[1]?.answer([change]);
  expect(await late).toHaveLength(1);
  readings[0]?.answer([]);
  expect(await early).toEqual([]);
  // What the early one found is not kept in the place of the other.
  expect(await pages.read(5)).toHaveLength(1);
  expect(readings).toHaveLength(2);
});

it('keeps nothing of an empty end or of a failure', async () => {
  const { pages, readings } = createLog();
  const end = pages.read(5);
  readings[0]?.answer([]);
  expect(await end).toEqual([]);
  const failed = pages.read(5);
  readings[1]?.refuse(new ChangesGone(9));
  await expect(failed).rejects.toMatchObject({ code: 'gone', members: { oldest: 9 } });
  void pages.read(5);
  expect(readings).toHaveLength(3);
});

import { expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { freshSeed } from './random.ts';
import { runSaveRounds } from './save-rounds.ts';

/**
 * kill -9 between a save and its answer: the retry succeeds, versions are consecutive, nothing is lost.
 * The settings are those of kill-9.test.ts.
 */

const rounds = Number(process.env['KEYSTOW_KILL_ROUNDS'] ?? runs(1, 60));
const seed = Number(process.env['KEYSTOW_KILL_SEED'] ?? freshSeed());

it(`answers the retry of a save after ${rounds} kills (seed ${seed})`, {
  timeout: 60_000 + rounds * 40_000,
}, async () => {
  const result = await runSaveRounds({ rounds, seed });
  expect(result.problems).toEqual([]);
  expect(result.unanswered).toBeGreaterThan(0);
  // A kill on an answer, which the console then has not heard, is one of two.
  if (rounds > 20) expect(result.storedUnanswered).toBeGreaterThan(0);
  console.info(
    `kill -9: ${rounds} rounds, ${result.saved} saves, ${result.unanswered} without an answer, ` +
      `${result.storedUnanswered} of them stored, seed ${seed}`,
  );
});

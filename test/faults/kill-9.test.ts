import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runKillRounds } from './kill-rounds.ts';
import { freshSeed } from './random.ts';

/**
 * A real server under write load, killed with SIGKILL again and again: nothing that was
 * acknowledged is gone. Any number of rounds: kill-9.sh; KEYSTOW_KILL_SEED repeats a run's choices.
 */

const rounds = Number(process.env['KEYSTOW_KILL_ROUNDS'] ?? 2);
const seed = Number(process.env['KEYSTOW_KILL_SEED'] ?? freshSeed());

it(`loses nothing that was acknowledged in ${rounds} kills (seed ${seed})`, {
  timeout: 60_000 + rounds * 40_000,
}, async () => {
  const result = await runKillRounds({ rounds, seed });
  expect(result.problems).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(rounds);
  console.info(
    `kill -9: ${rounds} rounds, ${result.acknowledged} writes acknowledged, ` +
      `${result.unanswered} without an answer (${result.unansweredStored} of them stored), seed ${seed}`,
  );
});

it(`reports the loss where a server answers before the commit (seed ${seed})`, async () => {
  const script = resolve('test/faults/early-ack-server.mjs');
  const { problems } = await runKillRounds({ rounds: 1, seed, script });
  expect(problems.join('\n')).toMatch(/: lost/);
});

import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { freshSeed } from './random.ts';
import { runUploadRounds } from './upload-rounds.ts';

/**
 * A server under uploads, overwrites and deletions, killed with SIGKILL again and again: objects are
 * whole, old or new, and no file is left over. The settings are those of kill-9.test.ts.
 */

const rounds = Number(process.env['KEYSTOW_KILL_ROUNDS'] ?? 2);
const seed = Number(process.env['KEYSTOW_KILL_SEED'] ?? freshSeed());

it(`keeps acknowledged objects, whole, in ${rounds} kills (seed ${seed})`, {
  timeout: 60_000 + rounds * 40_000,
}, async () => {
  const result = await runUploadRounds({ rounds, seed });
  expect(result.problems).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(0);
  console.info(
    `kill -9: ${rounds} rounds, ${result.acknowledged} uploads and deletions acknowledged, ` +
      `${result.unanswered} without an answer, ${result.objects} objects at the end, ` +
      `${result.files} of them in files, seed ${seed}`,
  );
});

it.runIf(isLongRun).each([
  ['answers before the commit', 'early-ack-server.mjs', /: lost: /],
  ['does not write all bytes', 'torn-blob-server.mjs', /: torn: /],
])(`reports a server that %s (seed ${seed})`, async (_what, script, expected) => {
  let problems: readonly string[] = [];
  // It may be killed before anything large was acknowledged, or where it shows as another problem.
  for (let again = 0; again < 5 && !expected.test(problems.join('\n')); again += 1) {
    const options = { rounds: 2, seed: seed + again, script: resolve('test/faults', script) };
    ({ problems } = await runUploadRounds(options));
  }
  expect(problems.join('\n')).toMatch(expected);
});

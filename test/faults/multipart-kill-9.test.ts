import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { isLongRun } from '../support/long-runs.ts';
import { runMultipartRounds } from './multipart-rounds.ts';
import { freshSeed } from './random.ts';

/**
 * A server under uploads in parts, killed with SIGKILL again and again: completed objects and the parts
 * of open uploads are whole, what was aborted is gone, and no file or record is left over. The settings
 * are those of kill-9.test.ts.
 */

const rounds = Number(process.env['KEYSTOW_KILL_ROUNDS'] ?? 1);
const seed = Number(process.env['KEYSTOW_KILL_SEED'] ?? freshSeed());

it(`keeps acknowledged parts and completions in ${rounds} kills (seed ${seed})`, {
  timeout: 60_000 + rounds * 40_000,
}, async () => {
  const { problems, acknowledged, ...rest } = await runMultipartRounds({ rounds, seed });
  expect(problems).toEqual([]);
  expect(acknowledged.begin).toBeGreaterThan(0);
  console.info(
    `kill -9, uploads in parts: ${rounds} rounds, seed ${seed}: ${JSON.stringify({ acknowledged, ...rest })}`,
  );
});

it.runIf(isLongRun).each([
  ['answers before the commit', 'early-ack-server.mjs', /lost/],
  ['does not write all bytes', 'torn-blob-server.mjs', /torn|left behind/],
])(`reports a server that %s (seed ${seed})`, async (_what, script, expected) => {
  let problems: readonly string[] = [];
  // It may be killed before anything of the kind was acknowledged, or where it shows as another problem.
  for (let again = 0; again < 5 && !expected.test(problems.join('\n')); again += 1) {
    const options = { rounds: 2, seed: seed + again, script: resolve('test/faults', script) };
    ({ problems } = await runMultipartRounds(options));
  }
  expect(problems.join('\n')).toMatch(expected);
});

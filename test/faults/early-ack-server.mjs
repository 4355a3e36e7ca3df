import { parseConfig } from '../../dist/server/config.js';
import { createLog } from '../../dist/server/log.js';
import { startServer } from '../../dist/server/main.js';
import { openStore } from '../../dist/server/open-stores.js';
import { CommitConflict } from '../../dist/server/stores/kv-store.js';

/**
 * The planted fault that the checkers of this folder must report: Keystow over a store whose
 * `commit` answers once the checks held, and writes later.
 */

/** So many acknowledged commits are in no file yet: any kill after the first one loses some. */
const HELD_BACK = 32;

async function openEarlyAcknowledgingStore(config, log) {
  const store = await openStore(config, log);
  /** What was acknowledged, so that the server itself notices nothing. */
  const acknowledged = new Map();
  const held = [];
  let sequence = await store.sequence();
  let turn = Promise.resolve();

  const get = (key) =>
    acknowledged.has(key) ? Promise.resolve(acknowledged.get(key)) : store.get(key);

  async function acknowledge(checks, mutations) {
    for (const { key, version } of checks) {
      if (((await get(key))?.version ?? null) !== version) throw new CommitConflict(key);
    }
    const first = sequence + 1;
    for (const { type, key, value } of mutations) {
      sequence += 1;
      acknowledged.set(key, type === 'put' ? { key, value, version: sequence } : undefined);
    }
    held.push([checks, mutations]);
    if (held.length > HELD_BACK) store.commit(...held.shift());
    return first;
  }

  return {
    ...store,
    get,
    commit(checks, mutations) {
      const mine = turn.then(() => acknowledge(checks, mutations));
      turn = mine.catch(() => {});
      return mine;
    },
    sequence: () => Promise.resolve(sequence),
    async close() {
      await Promise.all(held.map((commit) => store.commit(...commit)));
      await store.close();
    },
  };
}

const print = (line) => process.stdout.write(`${line}\n`);
const config = parseConfig({}, process.env);
const log = await createLog(config.logLevel);
const server = await startServer(config, log, print, {
  openStore: openEarlyAcknowledgingStore,
});
for (const url of server.urls) print(`keystow listening on ${url}`);
process.once('SIGTERM', () => server.close());

import { KeystowError } from '../../../shared/errors.ts';

import { createCommitQueue, type Member, type WrittenBatch } from '../../stores/commit-queue.ts';
import { CommitConflict, CommitUncertain, type KvMutation } from '../../stores/kv-store.ts';

import type { Database } from './integrity.ts';
import { decodeVersion, ENTRY_PREFIX, encodeChange, encodeEntry, logKey } from './record.ts';
import { createVersionMemory, PRESENT, type Versions } from './version-memory.ts';

/**
 * A batch is checked in order and written with one sync. Callers are answered after it, those whose
 * check failed too: what it failed on may be in the same batch.
 */

/** Members and bytes of one batch; what is more waits for the next. */
const MAX_BATCH_MEMBERS = 2_048;
const MAX_BATCH_BYTES = 4 * 1_048_576;
/** Entries whose versions are read in one call. */
const READ_AT_A_TIME = 64;
/** Old entries of the change log that go with each new one, so that trimming keeps pace. */
const TRIMMED_PER_WRITE = 2;

type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

export interface CommitterOptions {
  readonly database: Database;
  readonly now: () => number;
  /** The last number on disk and the oldest entry of the change log. */
  readonly sequence: number;
  readonly oldest: number;
  /** How many entries of the change log to keep; those after the checkpoint always stay. */
  readonly changesKeep: number;
  readonly checkpoint: number;
  /** A batch is about to be written; these keys appear or go with it. */
  onWriting(keys: readonly string[]): void;
  /** A batch is on disk. May return a number that is a checkpoint from now on. */
  onSynced(batch: WrittenBatch & { readonly sequence: number }): number | undefined;
  onFailed(error: Error): void;
  /** What the batch that follows a new checkpoint writes with it. */
  checkpointOperation(checkpoint: { sequence: number; oldest: number }): Operation;
}

export function createCommitter(options: CommitterOptions) {
  const { database } = options;
  let { sequence, oldest, checkpoint } = options;
  const memory = createVersionMemory();
  let unwrittenCheckpoint = false;
  const queue = createCommitQueue({
    maxMembers: MAX_BATCH_MEMBERS,
    maxBytes: MAX_BATCH_BYTES,
    async write(members) {
      const { versions, asked } = await readVersions(members);
      await write(members, versions, asked);
    },
  });

  async function write(
    members: readonly Member[],
    versions: Versions,
    asked: readonly string[],
  ): Promise<void> {
    const operations: Operation[] = [];
    const answers: (() => void)[] = [];
    const changedKeys: string[] = [];
    let commits = 0;
    const at = options.now();
    let head = sequence;
    let bytes = 0;
    for (const member of members) {
      const failed = member.checks.find(({ key, version }) => versions.get(key) !== version);
      if (failed) {
        answers.push(() => member.reject(new CommitConflict(failed.key)));
        continue;
      }
      const first = head + 1;
      for (const mutation of member.mutations) {
        head += 1;
        operations.push(...mutationOperations(mutation, head, at));
        const isUpdate = mutation.type === 'put' && typeof versions.get(mutation.key) === 'number';
        if (!isUpdate) changedKeys.push(mutation.key);
        versions.set(mutation.key, mutation.type === 'put' ? head : null);
      }
      bytes += member.bytes;
      commits += 1;
      answers.push(() => member.resolve(first));
    }
    if (operations.length > 0) {
      options.onWriting(changedKeys);
      await writeSynced(operations, head, { commits, bytes });
    }
    memory.note(versions, asked);
    for (const answer of answers) answer();
  }

  async function writeSynced(
    operations: Operation[],
    head: number,
    of: Omit<WrittenBatch, 'milliseconds'>,
  ): Promise<void> {
    const trimmedTo = trim(operations, head);
    if (unwrittenCheckpoint) {
      operations.push(options.checkpointOperation({ sequence: checkpoint, oldest: trimmedTo }));
    }
    // Readers of the log may find what is trimmed gone before this batch is answered.
    oldest = trimmedTo;
    const start = performance.now();
    try {
      // A chained batch costs a quarter of an array: no copy of each operation.
      const batch = database.batch();
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await batch.write({ sync: true });
    } catch (error) {
      throw stopWriting(asError(error));
    }
    sequence = head;
    const milliseconds = performance.now() - start;
    const safe = options.onSynced({ ...of, milliseconds, sequence });
    unwrittenCheckpoint = safe !== undefined;
    checkpoint = safe ?? checkpoint;
  }

  /** Entries after the checkpoint stay whatever `changesKeep` says: opening relies on them. */
  function trim(operations: Operation[], head: number): number {
    const newest = Math.min(checkpoint, head - options.changesKeep);
    const end = Math.min(newest + 1, oldest + (head - sequence) * TRIMMED_PER_WRITE);
    for (let old = oldest; old < end; old += 1) operations.push({ type: 'del', key: logKey(old) });
    return Math.max(oldest, end);
  }

  /** Those of all checked keys, and the keys whose version had to be read. */
  async function readVersions(
    members: readonly Member[],
  ): Promise<{ versions: Versions; asked: readonly string[] }> {
    const isVersionNeeded = new Map<string, boolean>();
    for (const { checks } of members) {
      for (const { key, version } of checks) {
        isVersionNeeded.set(key, isVersionNeeded.get(key) === true || version !== null);
      }
    }
    const needed: string[] = [];
    const versions: Versions = new Map();
    const isThereEnough: string[] = [];
    for (const [key, isNeeded] of isVersionNeeded) {
      const version = memory.get(key);
      if (version !== undefined) versions.set(key, version);
      else (isNeeded ? needed : isThereEnough).push(key);
    }
    await Promise.all([lookUp(isThereEnough, versions), readSome(needed, versions)]);
    return { versions, asked: needed };
  }

  /** Keys that have to be absent: their values, which may be large, are not read. */
  async function lookUp(keys: readonly string[], versions: Versions): Promise<void> {
    if (keys.length === 0) return;
    const isThere = await database.hasMany(keys.map((key) => ENTRY_PREFIX + key));
    for (const [index, key] of keys.entries()) versions.set(key, isThere[index] ? PRESENT : null);
  }

  /** Only the versions are kept, and few values are read at a time: they may be large. */
  async function readSome(keys: readonly string[], versions: Versions): Promise<void> {
    for (let at = 0; at < keys.length; at += READ_AT_A_TIME) {
      const some = keys.slice(at, at + READ_AT_A_TIME);
      const records = await database.getMany(some.map((key) => ENTRY_PREFIX + key));
      for (const [index, key] of some.entries()) {
        const record = records[index];
        versions.set(key, record === undefined ? null : (decodeVersion(key, record) ?? 'damaged'));
      }
    }
  }

  /**
   * LevelDB's log may end in half a record now, and what is appended behind it would be lost at the
   * next opening: so nothing more is written until then.
   */
  function stopWriting(error: Error): KeystowError {
    const isFull = /No space left|quota exceeded|ENOSPC/i.test(
      `${error.message} ${String(error.cause)}`,
    );
    const code = isFull ? 'disk-full' : 'unavailable';
    const what = isFull ? 'The disk is full' : 'Writing to the disk failed';
    const refusal = new KeystowError(code, `${what}: nothing was stored.`, { cause: error });
    // What was under way may lie in LevelDB's log all the same, and come back with a restart.
    const failed = new KeystowError(code, `${what}: after a restart, look whether it was stored.`, {
      cause: new CommitUncertain(error),
    });
    options.onFailed(error);
    queue.refuse(refusal);
    return failed;
  }

  return {
    commit: queue.commit,
    sequence: (): number => sequence,
    /** Of the change log. */
    oldest: (): number => oldest,
    close: queue.close,
  };
}

function mutationOperations(mutation: KvMutation, sequence: number, at: number): Operation[] {
  const { type, key } = mutation;
  const stored = ENTRY_PREFIX + key;
  return [
    type === 'put'
      ? { type: 'put', key: stored, value: encodeEntry(key, sequence, mutation.value) }
      : { type: 'del', key: stored },
    { type: 'put', key: logKey(sequence), value: encodeChange(type, key, at) },
  ];
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

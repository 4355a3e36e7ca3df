import { KeystowError } from '../../../shared/errors.ts';
import { MAX_QUEUED_COMMIT_BYTES, MAX_QUEUED_COMMITS } from '../../../shared/limits.ts';
import {
  CommitConflict,
  CommitUncertain,
  type KvCheck,
  type KvMutation,
} from '../../stores/kv-store.ts';
import type { Database } from './integrity.ts';
import {
  decodeVersion,
  ENTRY_PREFIX,
  encodeChange,
  encodeEntry,
  LOG_PREFIX,
  logKey,
} from './record.ts';

/**
 * Group commit: whatever is waiting is checked in order and written as one synced batch, and while
 * the disk works the next batch gathers. Callers are answered after the sync, those whose check
 * failed too: what it failed on may be in the same batch.
 */

/** Members and bytes of one batch; what is more waits for the next. */
const MAX_BATCH_MEMBERS = 2_048;
const MAX_BATCH_BYTES = 4 * 1_048_576;
/** Entries whose versions are read in one call. */
const READ_AT_A_TIME = 64;
/** Old entries of the change log that go with each new one, so that trimming keeps pace. */
const TRIMMED_PER_WRITE = 2;

interface Member {
  readonly checks: readonly KvCheck[];
  readonly mutations: readonly KvMutation[];
  readonly bytes: number;
  resolve(first: number): void;
  reject(error: Error): void;
}

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
  /** A batch is on disk. May return a number that is a checkpoint from now on. */
  onSynced(batch: { bytes: number; sequence: number }): number | undefined;
  onFailed(error: Error): void;
  /** What the batch that follows a new checkpoint writes with it. */
  checkpointOperation(checkpoint: { sequence: number; oldest: number }): Operation;
}

export function createCommitter(options: CommitterOptions) {
  const { database } = options;
  let { sequence, oldest, checkpoint } = options;
  let unwrittenCheckpoint = false;
  let queue: Member[] = [];
  let queuedBytes = 0;
  let running: Promise<void> | undefined;
  let refusal: KeystowError | undefined;

  function commit(checks: readonly KvCheck[], mutations: readonly KvMutation[]): Promise<number> {
    if (refusal) return Promise.reject(refusal);
    const bytes = mutations.reduce((sum, mutation) => sum + mutationBytes(mutation), 0);
    if (
      queue.length >= MAX_QUEUED_COMMITS ||
      (queue.length > 0 && queuedBytes + bytes > MAX_QUEUED_COMMIT_BYTES)
    ) {
      return Promise.reject(
        new KeystowError('unavailable', 'Too many writes are waiting for the disk: try again.', {
          headers: { 'Retry-After': '1' },
        }),
      );
    }
    return new Promise((resolve, reject) => {
      queue.push({ checks, mutations, bytes, resolve, reject });
      queuedBytes += bytes;
      running ??= run();
    });
  }

  async function run(): Promise<void> {
    // Let everything that arrives in this turn of the event loop join the first batch.
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const members = takeBatch();
      try {
        const versions = await readVersions(members);
        await write(members, versions);
      } catch (error) {
        for (const member of members) member.reject(asError(error));
      }
    }
    running = undefined;
  }

  function takeBatch(): Member[] {
    let bytes = 0;
    let count = 0;
    for (const member of queue) {
      if (count > 0 && (count >= MAX_BATCH_MEMBERS || bytes + member.bytes > MAX_BATCH_BYTES))
        break;
      bytes += member.bytes;
      count += 1;
    }
    const members = queue.slice(0, count);
    queue = queue.slice(count);
    queuedBytes -= bytes;
    return members;
  }

  async function write(
    members: readonly Member[],
    versions: Map<string, number | null | 'damaged'>,
  ): Promise<void> {
    const operations: Operation[] = [];
    const answers: (() => void)[] = [];
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
        versions.set(mutation.key, mutation.type === 'put' ? head : null);
      }
      bytes += member.bytes;
      answers.push(() => member.resolve(first));
    }
    if (operations.length > 0) await writeSynced(operations, head, bytes);
    for (const answer of answers) answer();
  }

  async function writeSynced(operations: Operation[], head: number, bytes: number): Promise<void> {
    const trimmedTo = trim(operations, head);
    if (unwrittenCheckpoint) {
      operations.push(options.checkpointOperation({ sequence: checkpoint, oldest: trimmedTo }));
    }
    try {
      await database.batch(operations, { sync: true });
    } catch (error) {
      throw stopWriting(asError(error));
    }
    sequence = head;
    oldest = trimmedTo;
    const safe = options.onSynced({ bytes, sequence });
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

  /** Only the versions are kept, and few values are read at a time: they may be large. */
  async function readVersions(
    members: readonly Member[],
  ): Promise<Map<string, number | null | 'damaged'>> {
    const keys = [...new Set(members.flatMap(({ checks }) => checks.map(({ key }) => key)))];
    const versions = new Map<string, number | null | 'damaged'>();
    for (let at = 0; at < keys.length; at += READ_AT_A_TIME) {
      const some = keys.slice(at, at + READ_AT_A_TIME);
      const records = await database.getMany(some.map((key) => ENTRY_PREFIX + key));
      for (const [index, key] of some.entries()) {
        const record = records[index];
        versions.set(key, record === undefined ? null : (decodeVersion(key, record) ?? 'damaged'));
      }
    }
    return versions;
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
    refusal = new KeystowError(code, `${what}: nothing was stored.`, { cause: error });
    // What was under way may lie in LevelDB's log all the same, and come back with a restart.
    const failed = new KeystowError(code, `${what}: after a restart, look whether it was stored.`, {
      cause: new CommitUncertain(error),
    });
    options.onFailed(error);
    const waiting = queue;
    queue = [];
    queuedBytes = 0;
    for (const member of waiting) member.reject(refusal);
    return failed;
  }

  return {
    commit,
    sequence: (): number => sequence,
    async close(): Promise<void> {
      refusal ??= new KeystowError('unavailable', 'The server is stopping: nothing was stored.');
      await running;
    },
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

/** About what a mutation takes in LevelDB's log: the key stands there twice. */
function mutationBytes(mutation: KvMutation): number {
  const value = mutation.type === 'put' ? mutation.value.byteLength : 0;
  return value + 2 * mutation.key.length + LOG_PREFIX.length + 64;
}

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Level } from 'level';
import { CHECKPOINT_KEY, LOG_PREFIX, logKey, logKeySequence } from './record.ts';

/**
 * Notices what LevelDB does not tell: after a damaged block in its write-ahead log it opens silently
 * without the records of that block. Two witnesses stand against it. Numbers in the change log are
 * contiguous from the checkpoint on, so a hole in the middle shows. The head file, written after
 * each sync, knows the last acknowledged number, so a missing end shows too.
 */

export type Database = Level<string, Buffer>;

/** Every number up to `sequence` was seen when it could no longer be lost with a log file. */
export interface Checkpoint {
  readonly sequence: number;
  /** The oldest entry of the change log at that time. */
  readonly oldest: number;
}

/** Acknowledged writes are gone. */
export class LostWritesError extends Error {
  override readonly name = 'LostWritesError';
}

export interface LogState {
  /** The last number in the change log. */
  readonly sequence: number;
  readonly oldest: number;
  /** Acknowledged numbers that are not there: how many, and where they begin and end. */
  readonly lost?: { readonly count: number; readonly from: number; readonly to: number };
}

/** Reads the change log from the checkpoint on: no more than a few log files' worth. */
export async function readLogState(database: Database, acknowledged: number): Promise<LogState> {
  const checkpoint = await readCheckpoint(database);
  let sequence = checkpoint.sequence;
  let count = 0;
  let from = 0;
  let to = 0;
  const miss = (first: number, last: number): void => {
    if (last < first) return;
    if (count === 0) from = first;
    count += last - first + 1;
    to = last;
  };

  const keys = database.keys({ gt: logKey(checkpoint.sequence), lt: `${LOG_PREFIX}:` });
  try {
    for (;;) {
      const page = await keys.nextv(10_000);
      if (page.length === 0) break;
      for (const key of page) {
        const found = logKeySequence(key);
        miss(sequence + 1, found - 1);
        sequence = found;
      }
    }
  } finally {
    await keys.close();
  }
  miss(sequence + 1, acknowledged);
  // The checkpoint's own is older where little was written since.
  const [first] = await database
    .keys({ gte: logKey(checkpoint.oldest), lt: `${LOG_PREFIX}:`, limit: 1 })
    .all();
  const state = { sequence, oldest: first === undefined ? sequence + 1 : logKeySequence(first) };
  return count === 0 ? state : { ...state, lost: { count, from, to } };
}

async function readCheckpoint(database: Database): Promise<Checkpoint> {
  const record = await database.get(CHECKPOINT_KEY);
  if (record === undefined) return { sequence: 0, oldest: 1 };
  const [sequence, oldest] = record.toString().split(' ').map(Number);
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(oldest)) {
    // Then all that is left of the log is looked at.
    return { sequence: 0, oldest: 1 };
  }
  return { sequence: sequence ?? 0, oldest: oldest ?? 1 };
}

export function encodeCheckpoint({ sequence, oldest }: Checkpoint): Buffer {
  return Buffer.from(`${sequence} ${oldest}`);
}

/**
 * Says when a number can be taken as a checkpoint: once so much was written since that LevelDB has
 * moved it from its log files (two at most, of `writeBufferBytes` and one batch each) into tables.
 */
export function createCheckpointWindow(writeBufferBytes: number, head: number) {
  let candidate = head;
  let written = 0;
  let largest = 0;
  return {
    /** Takes note of a batch that brought the sequence to `head`; a number once one is safe. */
    add(bytes: number, head: number): number | undefined {
      written += bytes;
      largest = Math.max(largest, bytes);
      if (written <= 2 * (writeBufferBytes + largest)) return undefined;
      const safe = candidate;
      candidate = head;
      written = 0;
      largest = 0;
      return safe;
    },
  };
}

/**
 * The head file. It is not synced: after a power loss it may be older than the store, which only
 * makes the check weaker, never wrong; after a `kill -9` it is exact.
 */
export function openHeadFile(path: string) {
  const fd = openSync(path, 'a+', 0o600);
  closeSync(fd);
  const writable = openSync(path, 'r+');
  return {
    write(sequence: number): void {
      writeSync(writable, `${String(sequence).padStart(16, '0')}\n`, 0);
    },
    close(): void {
      closeSync(writable);
    },
  };
}

/** The last acknowledged number; 0 where the file is missing or unreadable. */
export function readHeadFile(path: string): number {
  try {
    const text = readFileSync(path, 'utf8');
    return /^\d{16}\n$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}

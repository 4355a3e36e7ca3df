import { documentPath } from '../../../shared/client/paths.ts';
import { MAX_BATCH_MEMBERS } from '../../../shared/limits.ts';
import type { ImportRecord } from '../../../shared/ndjson/record.ts';
import type { Problem } from './problem-list.ts';
import type { ReadLine } from './read-records.ts';

export interface ImportMember extends ImportRecord {
  readonly line: number;
}

/** Some lines of a file, which are stored at once. */
export interface Batch {
  /** Each has another key. */
  readonly members: readonly ImportMember[];
  /** Lines among them that cannot be imported. */
  readonly broken: readonly Problem[];
  /** Bytes of the file up to and with the last of them. */
  readonly end: number;
}

/** A mebibyte is what proxies let through unless told, and takes 8 s where a second brings 128 KiB. */
const BATCH_BYTES = 1_000_000;
/** Of a member: what is neither its path nor the document. */
const MEMBER_BYTES = 40;

interface BatchLimits {
  readonly members: number;
  readonly bytes: number;
}

/**
 * Groups lines in their order. One whose key is in the batch already begins the next one: so the later of two
 * meets what the earlier has left, as it does on the command line.
 */
export async function* toBatches(
  lines: AsyncIterable<ReadLine>,
  limits: BatchLimits = { members: MAX_BATCH_MEMBERS, bytes: BATCH_BYTES },
): AsyncGenerator<Batch, void> {
  let members: ImportMember[] = [];
  let broken: Problem[] = [];
  let [bytes, end] = [0, 0];
  const keys = new Set<string>();
  const take = (): Batch => {
    const batch = { members, broken, end };
    [members, broken, bytes] = [[], [], 0];
    keys.clear();
    return batch;
  };
  for await (const line of lines) {
    if ('problem' in line) {
      broken.push({ line: line.number, reason: line.problem });
      end = line.end;
      if (broken.length >= limits.members) yield take();
      continue;
    }
    const { key, value } = line.record;
    const size = line.bytes + documentPath(key).length + MEMBER_BYTES;
    const isFull = members.length >= limits.members || bytes + size > limits.bytes;
    if (members.length > 0 && (isFull || keys.has(key))) yield take();
    members.push({ line: line.number, key, value });
    keys.add(key);
    bytes += size;
    end = line.end;
  }
  if (members.length + broken.length > 0) yield take();
}

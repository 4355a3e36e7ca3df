/**
 * What the writers were told: for each document the last state that was acknowledged, and the
 * write that had no answer when the server died. A document has one writer at a time.
 */

export interface Stored {
  readonly text: string;
  readonly etag: number;
}

/** A write under way; `text` is null for a deletion. */
export interface Write {
  readonly key: string;
  readonly text: string | null;
  /** The highest number known when it was sent: its own is higher. */
  readonly floor: number;
}

export interface LedgerEntry {
  /** Null: the document is not there. */
  readonly settled: Stored | null;
  readonly pending: Write | undefined;
}

export interface Ledger {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  /** What was wrong with the answers themselves. */
  readonly problems: readonly string[];
  /** Writes acknowledged since the last `adopt`. */
  readonly acknowledged: number;
  /** The sequence number at the last `adopt`. */
  readonly revision: number;
  /** The highest number that any answer named. */
  readonly highest: number;
  settled(key: string): Stored | null;
  begin(key: string, text: string | null): Write;
  /** A 2xx answer; a deletion's has no ETag. */
  acknowledge(write: Write, etag: number | undefined, text: string | undefined): void;
  /** An acknowledged write outside of the entries (see tally.ts) takes a number too. */
  count(etag: number): void;
  /** An answer that no correct server gives to this workload: the write did not happen. */
  reject(write: Write, problem: string): void;
  note(problem: string): void;
  /** Takes over what a restarted server has. */
  adopt(documents: ReadonlyMap<string, Stored | null>, revision: number): void;
}

export function createLedger(): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const problems: string[] = [];
  let acknowledged = 0;
  let revision = 0;
  let highest = 0;

  const settled = (key: string): Stored | null => entries.get(key)?.settled ?? null;

  function count(etag: number): void {
    acknowledged += 1;
    highest = Math.max(highest, etag);
  }

  return {
    entries,
    problems,
    note: (problem) => void problems.push(problem),
    get acknowledged() {
      return acknowledged;
    },
    get revision() {
      return revision;
    },
    get highest() {
      return highest;
    },
    settled,
    count,
    begin(key, text) {
      const pending = { key, text, floor: highest };
      entries.set(key, { settled: settled(key), pending });
      return pending;
    },
    acknowledge(write, etag, text) {
      const { key } = write;
      if (write.text === null) {
        count(0);
        entries.set(key, { settled: null, pending: undefined });
        return;
      }
      if (etag === undefined) problems.push(`${key}: the acknowledgement has no ETag`);
      else if (etag <= write.floor) {
        problems.push(
          `${key}: ETag ${etag} after ${write.floor} was given: the sequence went back`,
        );
      }
      if (text !== undefined && text !== write.text) {
        problems.push(`${key}: the acknowledgement shows another text than was written`);
      }
      count(etag ?? 0);
      entries.set(key, { settled: { text: write.text, etag: etag ?? 0 }, pending: undefined });
    },
    reject({ key }, problem) {
      problems.push(`${key}: ${problem}`);
      entries.set(key, { settled: settled(key), pending: undefined });
    },
    adopt(documents, newRevision) {
      for (const [key, document] of documents) {
        entries.set(key, { settled: document, pending: undefined });
      }
      acknowledged = 0;
      revision = newRevision;
      highest = Math.max(highest, newRevision);
    },
  };
}

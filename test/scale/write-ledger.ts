/**
 * What the clients of several nodes were told. Every write has a mark of its own, by which it is known
 * again in what is stored.
 */

/** Uncertain: no answer, or one that promises nothing; it may be stored, and later than that, too. */
export type Outcome = 'acknowledged' | 'refused' | 'uncertain';

export interface Write {
  /**
   * `create`: a document that many want to make. `replace`: one, or an object, of a single client.
   * `add`: a member of a document of all. `save`: a version of a slot.
   */
  readonly kind: 'create' | 'replace' | 'add' | 'save' | 'object';
  /** Of the document or the object; the slot of a save. */
  readonly key: string;
  readonly mark: string;
  readonly outcome: Outcome;
  /** The number in the ETag of an acknowledged document. */
  readonly sequence?: number | undefined;
  /** Of a save. */
  readonly version?: number | undefined;
}

export interface WriteLedger {
  /** In the order of the answers. */
  readonly writes: readonly Write[];
  /** Answers that no correct server gives. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly uncertain: number;
  /** Answers 503, in all and to each client. */
  readonly unavailable: number;
  readonly unavailableTo: ReadonlyMap<number, number>;
  add(write: Write): void;
  note(problem: string): void;
  countUnavailable(client: number): void;
}

export function createWriteLedger(): WriteLedger {
  const writes: Write[] = [];
  const problems: string[] = [];
  const count = { acknowledged: 0, refused: 0, uncertain: 0 };
  let unavailable = 0;
  const unavailableTo = new Map<number, number>();
  return {
    writes,
    problems,
    unavailableTo,
    get unavailable() {
      return unavailable;
    },
    get acknowledged() {
      return count.acknowledged;
    },
    get uncertain() {
      return count.uncertain;
    },
    add(write) {
      writes.push(write);
      count[write.outcome] += 1;
    },
    note: (problem) => void problems.push(problem),
    countUnavailable(client) {
      unavailable += 1;
      unavailableTo.set(client, (unavailableTo.get(client) ?? 0) + 1);
    },
  };
}

/** What a client may read of what it alone writes: its last acknowledged write, or a later one. */
export function expectedMarks(writes: readonly Write[]): ReadonlySet<string | undefined> {
  const last = writes.findLastIndex(({ outcome }) => outcome === 'acknowledged');
  const later = writes.slice(last + 1).filter(({ outcome }) => outcome === 'uncertain');
  return new Set([writes[last]?.mark, ...later.map(({ mark }) => mark)]);
}

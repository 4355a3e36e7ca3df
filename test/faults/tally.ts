/**
 * One document that all writers change at once, each PATCH with a member of its own: none of those
 * that were acknowledged may be lost to another one.
 */
export interface Tally {
  readonly key: string;
  readonly acknowledged: ReadonlySet<string>;
  /** Sent, and maybe never answered. */
  readonly begun: ReadonlySet<string>;
  /** The highest number that an answer named. */
  readonly etag: number;
  begin(member: string): void;
  acknowledge(member: string, etag: number): void;
}

/** `etag` is that of its creation, as `{}`. */
export function createTally(key: string, etag: number): Tally {
  const acknowledged = new Set<string>();
  const begun = new Set<string>();
  let highest = etag;
  return {
    key,
    acknowledged,
    begun,
    get etag() {
      return highest;
    },
    begin(member) {
      begun.add(member);
    },
    acknowledge(member, etag) {
      acknowledged.add(member);
      highest = Math.max(highest, etag);
    },
  };
}

import type { Change } from '../../shared/changes.ts';

/** Compares what a client of the feed was told with what writers were told. Pure; one line for each violation. */

export interface FeedWrite {
  /** One who writes one thing after another. */
  readonly writer: string;
  readonly url: string;
  readonly type: 'put' | 'delete';
  /** Uncertain: no answer, or one that promises nothing. */
  readonly outcome: 'acknowledged' | 'uncertain';
  /** Of an acknowledged document; other answers do not name it. */
  readonly sequence?: number | undefined;
}

/** What a client was told, in the order in which it was. */
export type Told =
  | { readonly change: Change }
  /** 410: it knew all up to `after`, and goes on after `oldest`. */
  | { readonly after: number; readonly oldest: number };

/** `from`: the number that the client began with; `writes` are in the order in which each writer was answered. */
export function checkFeed(
  told: readonly Told[],
  writes: readonly FeedWrite[],
  from: number,
): string[] {
  const changes = told.flatMap((one) => ('change' in one ? [one.change] : []));
  const gaps = told.flatMap((one) => ('change' in one ? [] : [one]));
  const { found, problems } = match(changes, writes);
  return [...checkOrder(told, from), ...problems, ...checkWriters(writes, found, gaps)];
}

/** Numbers grow, and a 410 moves forward. */
function checkOrder(told: readonly Told[], from: number): string[] {
  const problems: string[] = [];
  let last = from;
  for (const one of told) {
    if ('change' in one) {
      const { seq, url } = one.change;
      if (seq <= last) problems.push(`${url}: ${seq} was told after ${last}`);
      last = Math.max(last, seq);
    } else {
      if (one.after < last) problems.push(`410 after ${one.after}, but ${last} was known`);
      if (one.oldest <= last) problems.push(`410 after ${last} leads back to ${one.oldest}`);
      last = Math.max(last, one.oldest);
    }
  }
  return problems;
}

/** Finds the change of each write; a change that is nobody's is a problem. */
function match(changes: readonly Change[], writes: readonly FeedWrite[]) {
  const problems: string[] = [];
  const found = new Map<FeedWrite, number>();
  const bySequence = new Map<number, FeedWrite>();
  const byName = new Map<string, FeedWrite[]>();
  for (const write of writes) {
    if (write.sequence !== undefined) bySequence.set(write.sequence, write);
    else byName.set(nameOf(write), [...(byName.get(nameOf(write)) ?? []), write]);
  }
  for (const change of changes) {
    const { seq, url, type, etag } = change;
    const numbered = bySequence.get(seq);
    // An acknowledged write is more likely than one that may not be stored.
    const others = (byName.get(nameOf(change)) ?? []).filter((write) => !found.has(write));
    const write = numbered ?? others.find(({ outcome }) => outcome === 'acknowledged') ?? others[0];
    if (!write || nameOf(write) !== nameOf(change)) {
      problems.push(`${type} ${url}: ${seq} was told, and nobody wrote it`);
      continue;
    }
    if (found.has(write)) problems.push(`${type} ${url}: ${seq} was told twice`);
    found.set(write, seq);
    if (numbered && etag !== `"${seq}"`) problems.push(`${url}: ${seq} has the ETag ${etag}`);
  }
  return { found, problems };
}

/** Each acknowledged write was told, after the one before it of its writer, unless a 410 stands for it. */
function checkWriters(
  writes: readonly FeedWrite[],
  found: ReadonlyMap<FeedWrite, number>,
  gaps: readonly { readonly after: number; readonly oldest: number }[],
): string[] {
  const problems: string[] = [];
  const lastOf = new Map<string, number>();
  for (const [index, write] of writes.entries()) {
    const { writer, url, type, sequence } = write;
    const seq = found.get(write);
    const last = lastOf.get(writer) ?? 0;
    if (seq !== undefined) {
      if (seq < last) problems.push(`${type} ${url}: ${seq} was told, but written after ${last}`);
      // What is uncertain may be stored later than what its writer did next.
      if (write.outcome === 'acknowledged') lastOf.set(writer, Math.max(last, seq));
      continue;
    }
    if (write.outcome === 'uncertain') continue;
    const least = sequence ?? last + 1;
    const most = sequence ?? nextOf(writes, index, found);
    if (gaps.some(({ after, oldest }) => most > after && least <= oldest)) continue;
    problems.push(`${type} ${url}: ${sequence ?? 'acknowledged'}, and was not told`);
  }
  return problems;
}

/** The number of what the same writer was acknowledged next. */
function nextOf(
  writes: readonly FeedWrite[],
  index: number,
  found: ReadonlyMap<FeedWrite, number>,
): number {
  const next = writes.find(
    (write, at) =>
      at > index &&
      write.writer === writes[index]?.writer &&
      write.outcome === 'acknowledged' &&
      found.has(write),
  );
  return (next && found.get(next)) ?? Number.POSITIVE_INFINITY;
}

function nameOf({ type, url }: Pick<Change, 'type' | 'url'>): string {
  return `${type} ${url}`;
}

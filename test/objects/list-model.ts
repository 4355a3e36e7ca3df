import fc from 'fast-check';
import type { Listed, ReadNames } from '../../server/services/list-page.ts';

/** S3's lists as plainly as they can be said, and the keys that tell a right one from a wrong one. */

export interface ModelQuery {
  readonly prefix: string;
  readonly delimiter?: string | undefined;
  readonly after?: string | undefined;
  /** What may be seen; all unless told. */
  readonly within?: readonly string[] | undefined;
}

/** One line of a list. */
export interface Entry {
  readonly name: string;
  readonly isCommonPrefix: boolean;
}

/**
 * All lines in their order, whatever the page: a key, or what keys have in common up to the delimiter
 * behind the prefix. A marker inside of a common prefix counts as that.
 */
export function modelEntries(
  keys: Iterable<string>,
  { prefix, delimiter, after, within = [''] }: ModelQuery,
): Entry[] {
  const rolledUp = (key: string): Entry => {
    const at = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    return at < 0 || !delimiter
      ? { name: key, isCommonPrefix: false }
      : { name: key.slice(0, at + delimiter.length), isCommonPrefix: true };
  };
  const marker = after?.startsWith(prefix) ? rolledUp(after).name : after;
  const entries = new Map<string, Entry>();
  for (const key of new Set(keys)) {
    if (!key.startsWith(prefix) || !within.some((visible) => key.startsWith(visible))) continue;
    const entry = rolledUp(key);
    if (marker !== undefined && byteOrder(entry.name, marker) <= 0) continue;
    // A key that is also what others have in common ends with the delimiter: it is one of them.
    entries.set(entry.name, entry);
  }
  return [...entries.values()].sort((one, other) => byteOrder(one.name, other.name));
}

export function byteOrder(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

export interface CountingReader {
  readonly read: ReadNames<string>;
  /** Names that were handed out, in all. */
  readonly count: number;
  /** Calls. */
  readonly calls: number;
}

/** Reads what a store would, and counts it. */
export function readerOf(keys: Iterable<string>): CountingReader {
  const sorted = [...new Set(keys)]
    .map((key) => ({ key, bytes: Buffer.from(key) }))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  let count = 0;
  let calls = 0;
  return {
    async read(prefix, after, limit) {
      const marker = Buffer.from(after ?? '');
      const found = sorted
        .filter(({ key, bytes }) => key.startsWith(prefix) && Buffer.compare(bytes, marker) > 0)
        .slice(0, limit)
        .map(({ key }): Listed<string> => ({ name: key, key, item: key }));
      count += found.length;
      calls += 1;
      return found;
    },
    get count() {
      return count;
    },
    get calls() {
      return calls;
    },
  };
}

/**
 * Few characters, so that keys have much in common: some of them below `/`, some in the order of UTF-16
 * before what they follow in UTF-8, some that XML cannot hold.
 */
const CHARACTERS = [
  ...['a', 'b', '/', '/', '//', 'é', ' ', '+', '%', '&', '<', '"'],
  ...['\u0001', '\t', '\n', '\r', '\u001f', '\u007f', '\u0085', '\u2028'],
  ...['\ud7ff', '\ue000', '\ufffd', '\ufffe', '\uffff', '\u{10000}', '😀', '\u{10ffff}'],
] as const;

const character = fc.constantFrom(...CHARACTERS);

export const anyKey = fc.string({ unit: character, minLength: 1, maxLength: 6 });

export const anyKeys = fc.array(anyKey, { maxLength: 40 });

export const anyPrefix = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  fc.string({ unit: character, maxLength: 2 }),
);

export const anyDelimiter = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(undefined, '/') },
  fc.constantFrom('//', 'a', 'ab', '/a', '\u{10ffff}', '😀/', '\u0001'),
);

export const anyMarker = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  fc.string({ unit: character, minLength: 1, maxLength: 4 }),
);

import { MAX_OBJECT_KEY_BYTES } from '../s3/object-key.ts';

/** One page of a list by key, with what lies behind a delimiter rolled up, as S3 lists. */

export interface ListQuery {
  readonly prefix: string;
  /** What may be seen of the prefix: prefixes in byte order, none of which contains another. */
  readonly within: readonly string[];
  /** Keys with it behind the prefix are one common prefix that ends with it. */
  readonly delimiter?: string | undefined;
  /** A name or a common prefix: what follows it is listed. */
  readonly after?: string | undefined;
  /** The key of `after`, where a name is more than its key. */
  readonly afterKey?: string | undefined;
  /** Items and common prefixes together. */
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly commonPrefixes: readonly string[];
  /** `after` for the next page; undefined on the last one. */
  readonly next?: string | undefined;
}

export interface Listed<T> {
  /** Its place in the order: the key, and what tells several of one key apart. */
  readonly name: string;
  readonly key: string;
  readonly item: T;
}

/** At most `limit` of those whose names begin with `prefix` and follow `after`, in byte order. */
export type ReadNames<T> = (
  prefix: string,
  after: string | undefined,
  limit: number,
) => Promise<readonly Listed<T>[]>;

const BEYOND = '\u{10ffff}'.repeat(MAX_OBJECT_KEY_BYTES / 4 + 1);

/** What is read at first where common prefixes may follow. */
const FIRST_STEP = 16;

/**
 * Reads little more than what the page shows: what a common prefix covers is jumped over. A page of 0
 * is the last one. `beginOfName`: how names begin whose keys begin with a text, unless with just that.
 */
export async function listPage<T>(
  query: ListQuery,
  read: ReadNames<T>,
  beginOfName: (keyPrefix: string) => string = (keyPrefix) => keyPrefix,
): Promise<Page<T>> {
  const { limit, after, afterKey = after } = query;
  const items: T[] = [];
  const commonPrefixes: string[] = [];
  if (limit === 0) return { items, commonPrefixes };

  // A marker inside of a common prefix, or that is one: it was listed before.
  const passed = afterKey === undefined ? undefined : commonPrefixOf(afterKey, query);
  let position = passed === undefined ? after : lastWithin(beginOfName(passed));
  let last = after;
  for (const within of query.within) {
    // How many follow one another without a common prefix is not known: few at first, then more.
    let step = query.delimiter === undefined ? limit + 1 : Math.min(limit + 1, FIRST_STEP);
    for (;;) {
      const found = await read(within, position, step);
      let jumped = false;
      for (const { name, key, item } of found) {
        if (items.length + commonPrefixes.length === limit) {
          return { items, commonPrefixes, next: last };
        }
        const common = commonPrefixOf(key, query);
        last = common ?? name;
        position = common === undefined ? name : lastWithin(beginOfName(common));
        if (common === undefined) items.push(item);
        else {
          commonPrefixes.push(common);
          jumped = true;
          break;
        }
      }
      if (!jumped && found.length < step) break;
      step = jumped ? 1 : Math.min(step * 2, limit + 1);
    }
  }
  return { items, commonPrefixes };
}

function commonPrefixOf(key: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (!delimiter || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** Greater than any name that begins with the prefix: nothing sorts after U+10FFFF, and no key has so many. */
function lastWithin(prefix: string): string {
  return prefix + BEYOND;
}

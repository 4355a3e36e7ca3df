import { compareBytes, findKey } from '../../parts/byte-order.ts';

/** Which keys are there now, and which are not. */
export type KeyChanges = ReadonlyMap<string, boolean>;

/** What of all keys a list shows: those behind `after`, up to `last`, where these are given. */
export interface KeySection {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly last?: string | undefined;
}

/**
 * The list, in byte order, with the changes that belong into its section; the same list where none does.
 */
export function withKeyChanges(
  keys: readonly string[],
  changes: KeyChanges,
  section: KeySection,
): readonly string[] {
  const changed = [...changes.keys()].filter((key) => isWithin(key, section)).sort(compareBytes);
  const parts: (readonly string[])[] = [];
  let taken = 0;
  for (const key of changed) {
    const found = findKey(keys, key);
    const isThere = changes.get(key) === true;
    if (found >= 0 === isThere) continue;
    const at = found >= 0 ? found : ~found;
    parts.push(keys.slice(taken, at), isThere ? [key] : []);
    taken = isThere ? at : at + 1;
  }
  return parts.length === 0 ? keys : [...parts, keys.slice(taken)].flat();
}

function isWithin(key: string, { prefix, after, last }: KeySection): boolean {
  if (!key.startsWith(prefix)) return false;
  if (after !== undefined && compareBytes(key, after) <= 0) return false;
  return last === undefined || compareBytes(key, last) <= 0;
}

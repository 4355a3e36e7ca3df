import type { Change } from '../../shared/changes.ts';

const texts = new WeakMap<Change, string>();

/** A change as JSON: made once, however many feeds tell of it. It has ASCII only. */
export function changeText(change: Change): string {
  const known = texts.get(change);
  if (known !== undefined) return known;
  const text = JSON.stringify(change);
  texts.set(change, text);
  return text;
}

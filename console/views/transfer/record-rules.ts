import { MAX_DOCUMENT_DEPTH, MAX_KEY_BYTES } from '../../../shared/limits.ts';
import type { ImportRecord } from '../../../shared/ndjson/record.ts';
import { utf8Bytes } from '../../parts/utf8-bytes.ts';

/** What the server would say of a record's key or value, without asking it; undefined where all is well. */
export function whyNoDocument({ key, value }: ImportRecord): string | undefined {
  if (key.includes('\0')) return '"key" must not have a NUL (U+0000) in it.';
  // A code unit has three bytes at most.
  if (key.length * 3 > MAX_KEY_BYTES && utf8Bytes(key) > MAX_KEY_BYTES) {
    return `"key" must have at most ${MAX_KEY_BYTES} bytes of UTF-8.`;
  }
  if (!value.startsWith('{') && !value.startsWith('[')) {
    return '"value" must be a JSON object or array.';
  }
  if (value.length > MAX_DOCUMENT_DEPTH && depthOf(value) > MAX_DOCUMENT_DEPTH) {
    return `"value" must not be nested deeper than ${MAX_DOCUMENT_DEPTH} levels.`;
  }
  return undefined;
}

/** Arrays and objects inside one another, in a text that is JSON. */
function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  // Strings are matched so that what they hold does not count.
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

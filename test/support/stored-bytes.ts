import type { KvStore } from '../../server/stores/kv-store.ts';

/** What a store and its files say of each other, when nothing is under way. */

interface Piece {
  readonly id: string;
  readonly isInline: boolean;
}

/**
 * One line for each violation: bytes that neither an object nor a part has, records whose bytes are
 * not there, parts of no upload and of no object, and what still waits to be removed.
 */
export async function checkStoredBytes(
  store: Pick<KvStore, 'range' | 'keys'>,
  files: readonly string[],
): Promise<string[]> {
  const keys = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of store.keys({ prefix })) {
      found.push(...page.map((key) => key.slice(prefix.length)));
    }
    return found;
  };
  const owners = new Set((await keys('upload/')).map((key) => key.slice(-32)));
  const pieces: Piece[] = [];
  const parts: string[] = [];
  for (const prefix of ['object/', 'part/']) {
    for await (const page of store.range({ prefix })) {
      for (const { key, value } of page) {
        const { bytes } = JSON.parse(`${value}`);
        if ('uploadId' in bytes) owners.add(bytes.uploadId);
        else pieces.push(bytes);
        if (prefix === 'part/') parts.push(key.slice(prefix.length));
      }
    }
  }
  const inFiles = pieces.filter(({ isInline }) => !isInline);
  return [
    ...(await keys('discarded-parts/')).map((id) => `parts of ${id} wait to be removed`),
    ...parts
      .filter((key) => !owners.has(key.split('/')[0] ?? ''))
      .map((key) => `part ${key}: of no upload and of no object`),
    ...differences('record of bytes', await keys('bytes/'), pieces),
    ...differences('file', files, inFiles),
  ];
}

function differences(what: string, found: readonly string[], pieces: readonly Piece[]): string[] {
  const expected = new Set(pieces.map(({ id }) => id));
  const there = new Set(found);
  return [
    ...found.filter((id) => !expected.has(id)).map((id) => `${what} ${id}: left behind`),
    ...[...expected].filter((id) => !there.has(id)).map((id) => `${what} ${id}: missing`),
  ];
}

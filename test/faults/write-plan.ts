import type { ClientRequest } from './client.ts';
import type { Stored } from './ledger.ts';
import { intBetween, pick, type Random } from './random.ts';
import { pathOf } from './survey.ts';

/** The next write to a document, and what a correct server makes of it. */
export interface PlannedWrite {
  readonly request: ClientRequest;
  readonly status: number;
  /** The stored text afterwards; null for a deletion. */
  readonly text: string | null;
}

/**
 * Creates what is absent; replaces, patches or deletes what is there. `marker` is used only once;
 * `largeShare` of the new texts are larger than a block of LevelDB's log (32 KiB), or near it.
 */
export function planWrite(
  random: Random,
  key: string,
  current: Stored | null,
  { marker, largeShare }: { marker: string; largeShare: number },
): PlannedWrite {
  const path = pathOf(key);
  const text = documentText(random, marker, random() < largeShare);
  if (current === null) {
    return pick(random, [
      { request: { method: 'POST', path, body: text }, status: 201, text },
      {
        request: { method: 'PUT', path, body: text, headers: { 'if-none-match': '*' } },
        status: 201,
        text,
      },
    ]);
  }
  const headers: Record<string, string> = pick(random, [{}, { 'if-match': `"${current.etag}"` }]);
  const member = `"patched ${marker}":-0.10`;
  return pick<PlannedWrite>(random, [
    { request: { method: 'PUT', path, body: text, headers }, status: 200, text },
    {
      request: { method: 'PATCH', path, body: `{${member}}`, headers },
      status: 200,
      text: `${current.text.slice(0, -1)},${member}}`,
    },
    { request: { method: 'DELETE', path, headers }, status: 204, text: null },
  ]);
}

function documentText(random: Random, marker: string, isLarge: boolean): string {
  const repeats = isLarge ? intBetween(random, 1_000, 4_000) : intBetween(random, 0, 20);
  const filling = `${marker} `.repeat(repeats);
  return `{"begin":"${marker}","big":12345678901234567890.10,"é😀":"${filling}","end":"${marker}"}`;
}

import type { Ledger, LedgerEntry, Stored } from './ledger.ts';
import type { Survey } from './survey.ts';
import type { Tally } from './tally.ts';

/**
 * Compares what a restarted server has with what its writers were told. Pure; one line for each
 * violation, none when all is well.
 */
export function checkSurvival(ledger: Ledger, tally: Tally, survey: Survey): string[] {
  return [
    ...ledger.problems,
    ...[...ledger.entries].flatMap(([key, entry]) => checkEntry(key, entry, survey)),
    ...checkTally(tally, survey.documents.get(tally.key) ?? null),
    ...checkSequence(ledger, survey),
    ...checkLists(ledger, tally, survey),
  ];
}

/** The acknowledged state, or the wholly done write that had no answer; nothing else. */
function checkEntry(key: string, { settled, pending }: LedgerEntry, survey: Survey): string[] {
  const found = survey.documents.get(key) ?? null;
  if (found?.text === settled?.text && found?.etag === settled?.etag) return [];
  if (pending && found?.text === (pending.text ?? undefined)) {
    if (found === null || found.etag > pending.floor) return [];
    return [`${key}: ETag ${found.etag} of a write sent after ${pending.floor} was given`];
  }
  const was = settled === null ? 'absent' : `there with ETag ${settled.etag}`;
  const is = found === null ? 'absent' : `there with ETag ${found.etag}: ${shorten(found.text)}`;
  return [`${key}: lost or torn: acknowledged as ${was}, it is ${is}`];
}

function checkTally(tally: Tally, found: Stored | null): string[] {
  const { key } = tally;
  if (found === null) return [`${key}: lost: acknowledged with ETag ${tally.etag}, it is absent`];
  const members = parseMembers(found.text);
  if (members === undefined) return [`${key}: torn: ${shorten(found.text)}`];
  const lost = [...tally.acknowledged].filter((member) => !members.has(member));
  const unknown = [...members].filter((member) => !tally.begun.has(member));
  return [
    ...lost.map((member) => `${key}: lost: the acknowledged member ${member}`),
    ...unknown.map((member) => `${key}: torn: nobody wrote the member ${member}`),
    ...(found.etag < tally.etag
      ? [`${key}: ETag ${found.etag} after ${tally.etag} was given: the sequence went back`]
      : []),
  ];
}

/** The names in `{"name":true,…}`, or undefined where it is anything else. */
function parseMembers(text: string): Set<string> | undefined {
  try {
    const members: unknown = JSON.parse(text);
    if (typeof members !== 'object' || members === null) return undefined;
    const names = Object.keys(members);
    const expected = `{${names.map((name) => `${JSON.stringify(name)}:true`).join(',')}}`;
    return text === expected ? new Set(names) : undefined;
  } catch {
    return undefined;
  }
}

function checkSequence(ledger: Ledger, survey: Survey): string[] {
  // Each write took a number of its own, those that show no ETag too.
  const least = Math.max(ledger.revision + ledger.acknowledged, ledger.highest);
  const etags = new Set<number>();
  const twice = new Set<number>();
  for (const document of survey.documents.values()) {
    if (document === null) continue;
    if (etags.has(document.etag)) twice.add(document.etag);
    etags.add(document.etag);
  }
  return [
    ...(survey.revision < least
      ? [`the sequence went back to ${survey.revision}; ${least} was reached`]
      : []),
    ...[...twice].map((etag) => `two documents have the ETag ${etag}`),
    ...[...etags]
      .filter((etag) => etag > survey.revision)
      .map((etag) => `a document has the ETag ${etag}, but the sequence is at ${survey.revision}`),
  ];
}

/** The list, the export and the single answers are the same set, in byte order. */
function checkLists(ledger: Ledger, tally: Tally, survey: Survey): string[] {
  const there = [...survey.documents].flatMap(([key, document]) =>
    document === null ? [] : [{ key, ...document }],
  );
  there.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const keys = there.map(({ key }) => key);
  const lines = there.map(
    ({ key, text, etag }) =>
      `{"key":${JSON.stringify(key)},"etag":"\\"${etag}\\"","value":${text}}`,
  );
  return [
    ...compareLists('the list', survey.keys, keys),
    ...compareLists('the export', survey.lines, lines),
    ...keys
      .filter((key) => !ledger.entries.has(key) && key !== tally.key)
      .map((key) => `${key}: nobody wrote it`),
  ];
}

function compareLists(name: string, found: readonly string[], wanted: readonly string[]): string[] {
  const at = wanted.findIndex((line, index) => line !== found[index]);
  if (at === -1 && found.length === wanted.length) return [];
  const index = at === -1 ? wanted.length : at;
  return [
    `${name} disagrees with GET at entry ${index}: ${shorten(found[index] ?? 'its end')} instead of ${shorten(wanted[index] ?? 'its end')}`,
  ];
}

function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 60)}…${text.slice(-39)}`;
}

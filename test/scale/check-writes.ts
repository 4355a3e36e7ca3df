import { expectedMarks, type Write } from './write-ledger.ts';

/** Compares what is stored with what clients were told. Pure; one line for each violation. */

/** What is stored, as one node shows it. */
export interface State {
  readonly documents: ReadonlyMap<
    string,
    { readonly sequence: number; readonly marks: readonly string[] }
  >;
  /** The marks of a slot's versions; undefined for bytes that nobody sent. */
  readonly slots: ReadonlyMap<
    string,
    readonly { readonly version: number; readonly mark: string | undefined }[]
  >;
  readonly objects: ReadonlyMap<string, string | undefined>;
}

export interface Change {
  readonly sequence: number;
  readonly key: string;
}

/** What a promotion adds to the sequence. */
const PROMOTION = 2 ** 32;

export function checkWrites(writes: readonly Write[], state: State): string[] {
  return [...groups(writes)].flatMap(([, group]) => {
    const first = group[0];
    if (!first) return [];
    const { kind, key } = first;
    if (kind === 'save') return checkSlot(key, group, state.slots.get(key) ?? []);
    if (kind === 'object') return checkReplaced(key, group, state.objects.get(key));
    const document = state.documents.get(key);
    const marks = document?.marks ?? [];
    const inOrder = kind === 'add' ? checkAdded(key, group, marks) : [];
    const single = kind === 'replace' ? checkReplaced(key, group, marks[0]) : [];
    const created = kind === 'create' ? checkCreated(key, group, marks[0]) : [];
    return [...inOrder, ...single, ...created, ...checkNumber(key, group, document)];
  });
}

/** The log has every acknowledged write, each number once, and no gap but where a standby took over. */
export function checkChanges(
  writes: readonly Write[],
  changes: readonly Change[],
  promotions: number,
): string[] {
  const problems: string[] = [];
  const keys = new Map(changes.map(({ sequence, key }) => [sequence, key]));
  const given = new Set<number>();
  for (const { key, mark, sequence } of writes) {
    if (sequence === undefined) continue;
    if (given.has(sequence)) problems.push(`${key}: the number ${sequence} was given twice`);
    given.add(sequence);
    if (keys.get(sequence) !== `data/${key}`) {
      problems.push(`${key}: ${mark} with the number ${sequence} is not in the log`);
    }
  }
  const created = new Set(writes.filter(({ kind }) => kind === 'create').map(({ key }) => key));
  const puts = changes.map(({ key }) => key.slice('data/'.length)).filter((k) => created.has(k));
  const twice = puts.filter((key, index) => puts.indexOf(key) !== index);
  problems.push(...twice.map((key) => `${key}: created twice, as the log has it`));
  return [...problems, ...checkNumbers(changes, promotions)];
}

function checkNumbers(changes: readonly Change[], promotions: number): string[] {
  const problems: string[] = [];
  let jumps = 0;
  let before = 0;
  for (const { sequence } of changes) {
    if (sequence === before + 1 + PROMOTION) jumps += 1;
    else if (sequence !== before + 1) problems.push(`${sequence} follows ${before} in the log`);
    before = sequence;
  }
  if (jumps !== promotions) problems.push(`${jumps} jumps of 2^32 for ${promotions} promotions`);
  return problems;
}

function groups(writes: readonly Write[]): Map<string, Write[]> {
  const found = new Map<string, Write[]>();
  for (const write of writes) {
    const name = `${write.kind} ${write.key}`;
    const group = found.get(name);
    if (group) group.push(write);
    else found.set(name, [write]);
  }
  return found;
}

function checkCreated(key: string, writes: readonly Write[], mark: string | undefined): string[] {
  const made = writes.filter(({ outcome }) => outcome === 'acknowledged');
  const possible = made.length > 0 ? made : writes.filter(({ outcome }) => outcome === 'uncertain');
  if (made.length > 1) return [`${key}: created ${made.length} times`];
  if (mark !== undefined) {
    return possible.some((write) => write.mark === mark)
      ? []
      : [`${key}: has ${mark}, which was not acknowledged`];
  }
  if (made.length > 0) return [`${key}: lost`];
  const isRefused = writes.some(({ outcome }) => outcome === 'refused');
  return isRefused ? [`${key}: refused as there, but it is not`] : [];
}

function checkReplaced(key: string, writes: readonly Write[], mark: string | undefined): string[] {
  const expected = expectedMarks(writes);
  if (expected.has(mark)) return [];
  return [`${key}: lost: has ${mark} instead of ${[...expected].join(' or ')}`];
}

function checkAdded(key: string, writes: readonly Write[], marks: readonly string[]): string[] {
  const outcomes = new Map(writes.map(({ mark, outcome }) => [mark, outcome]));
  const there = new Set(marks);
  return [
    ...writes
      .filter(({ mark, outcome }) => outcome === 'acknowledged' && !there.has(mark))
      .map(({ mark }) => `${key}: lost: the member ${mark}`),
    ...marks
      .filter((mark) => outcomes.get(mark) === undefined || outcomes.get(mark) === 'refused')
      .map((mark) => `${key}: has the member ${mark}, which nobody wrote`),
  ];
}

/** A document shows the number of the write that it holds. */
function checkNumber(
  key: string,
  writes: readonly Write[],
  document: { readonly sequence: number; readonly marks: readonly string[] } | undefined,
): string[] {
  const last = writes.findLast(
    ({ mark, sequence }) => sequence !== undefined && mark === document?.marks.at(-1),
  );
  if (!document || last?.sequence === undefined || last.kind === 'add') return [];
  return last.sequence === document.sequence
    ? []
    : [`${key}: has the ETag ${document.sequence}, acknowledged with ${last.sequence}`];
}

function checkSlot(
  slot: string,
  writes: readonly Write[],
  versions: readonly { readonly version: number; readonly mark: string | undefined }[],
): string[] {
  const problems: string[] = [];
  for (const [index, { version }] of versions.entries()) {
    if (version !== index + 1) problems.push(`${slot}: version ${version} is number ${index + 1}`);
  }
  const stored = new Map(versions.map(({ version, mark }) => [version, mark]));
  const told = new Map<number, string>();
  for (const { version = 0, mark, outcome } of writes) {
    if (outcome !== 'acknowledged') continue;
    const other = told.get(version);
    if (other !== undefined && other !== mark) {
      problems.push(`${slot}: version ${version} was stored twice`);
    }
    told.set(version, mark);
    if (stored.get(version) !== mark) {
      problems.push(`${slot}: lost: version ${version} is ${stored.get(version)}, not ${mark}`);
    }
  }
  for (const { version, mark } of versions) {
    const isKnown = writes.some(
      (write) => write.version === version && write.mark === mark && write.outcome !== 'refused',
    );
    if (!isKnown) problems.push(`${slot}: version ${version} is ${mark}, which nobody stored`);
  }
  return problems;
}

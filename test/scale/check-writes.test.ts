import { describe, expect, it } from 'vitest';
import { type Change, checkChanges, checkWrites, type State } from './check-writes.ts';
import type { Write } from './write-ledger.ts';

/**
 * The story of all tests: `once` was created by b (1), refused to a; `own` was replaced (2, 3), and again
 * without an answer; two members were added to `all` (4, 5); slot `s` has two versions, and maybe a third.
 */
const writes: readonly Write[] = [
  { kind: 'create', key: 'once', mark: 'b.1', outcome: 'acknowledged', sequence: 1 },
  { kind: 'create', key: 'once', mark: 'a.1', outcome: 'refused' },
  { kind: 'create', key: 'never', mark: 'a.2', outcome: 'uncertain' },
  { kind: 'replace', key: 'own', mark: 'a.3', outcome: 'acknowledged', sequence: 2 },
  { kind: 'replace', key: 'own', mark: 'a.4', outcome: 'acknowledged', sequence: 3 },
  { kind: 'replace', key: 'own', mark: 'a.5', outcome: 'uncertain' },
  { kind: 'add', key: 'all', mark: 'a.6', outcome: 'acknowledged', sequence: 4 },
  { kind: 'add', key: 'all', mark: 'b.2', outcome: 'acknowledged', sequence: 5 },
  { kind: 'add', key: 'all', mark: 'b.3', outcome: 'uncertain' },
  { kind: 'save', key: 's', mark: 'a.7', outcome: 'uncertain', version: 1 },
  { kind: 'save', key: 's', mark: 'a.7', outcome: 'acknowledged', version: 1 },
  { kind: 'save', key: 's', mark: 'b.4', outcome: 'refused', version: 1 },
  { kind: 'save', key: 's', mark: 'b.5', outcome: 'acknowledged', version: 2 },
  { kind: 'save', key: 's', mark: 'a.8', outcome: 'uncertain', version: 3 },
  { kind: 'object', key: 'o', mark: 'a.9', outcome: 'acknowledged' },
];
const all = { sequence: 5, marks: ['a.6', 'b.2'] };
const documents = {
  once: { sequence: 1, marks: ['b.1'] },
  own: { sequence: 3, marks: ['a.4'] },
  all,
};
const slot = [
  { version: 1, mark: 'a.7' },
  { version: 2, mark: 'b.5' },
];
const changes: readonly Change[] = ['once', 'own', 'own', 'all', 'all'].map((key, index) => ({
  sequence: index + 1,
  key: `data/${key}`,
}));

function check(
  changed: {
    documents?: Record<string, { sequence: number; marks: string[] }>;
    slot?: { version: number; mark: string | undefined }[];
    object?: string | undefined;
  } = {},
): string[] {
  const state: State = {
    documents: new Map(Object.entries({ ...documents, ...changed.documents })),
    slots: new Map([['s', changed.slot ?? slot]]),
    objects: new Map([['o', 'object' in changed ? changed.object : 'a.9']]),
  };
  return checkWrites(writes, state);
}

describe('accepts', () => {
  it('what was acknowledged', () => {
    expect(check()).toEqual([]);
    expect(checkChanges(writes, changes, 0)).toEqual([]);
  });

  it('what had no answer and is there', () => {
    expect(
      check({
        documents: {
          never: { sequence: 6, marks: ['a.2'] },
          own: { sequence: 7, marks: ['a.5'] },
          all: { sequence: 8, marks: ['a.6', 'b.2', 'b.3'] },
        },
        slot: [...slot, { version: 3, mark: 'a.8' }],
      }),
    ).toEqual([]);
  });

  it('a jump of 2^32 for each promotion', () => {
    const later = [...changes, { sequence: 5 + 2 ** 32 + 1, key: 'data/own' }];
    expect(checkChanges(writes, later, 1)).toEqual([]);
    expect(checkChanges(writes, later, 0)).toEqual(['1 jumps of 2^32 for 0 promotions']);
    expect(checkChanges(writes, changes, 1)).toEqual(['0 jumps of 2^32 for 1 promotions']);
  });
});

describe('reports', () => {
  it.each([
    ['an older document', { documents: { own: { sequence: 2, marks: ['a.3'] } } }, 'own: lost'],
    ['another ETag', { documents: { own: { sequence: 9, marks: ['a.4'] } } }, 'own: has the ETag'],
    ['a document of the refused', { documents: { once: { sequence: 1, marks: ['a.1'] } } }, 'once'],
    ['a lost member', { documents: { all: { ...all, marks: ['b.2'] } } }, 'the member a.6'],
    ['a strange member', { documents: { all: { ...all, marks: ['a.6', 'b.2', 'x'] } } }, 'nobody'],
    ['a lost version', { slot: slot.slice(0, 1) }, 's: lost: version 2'],
    [
      'a slot with a gap',
      { slot: [...slot, { version: 4, mark: 'a.8' }] },
      'version 4 is number 3',
    ],
    ['a save of the refused', { slot: [{ version: 1, mark: 'b.4' }, ...slot.slice(1)] }, 'b.4'],
    ['a torn save', { slot: [{ version: 1, mark: undefined }, ...slot.slice(1)] }, 's: lost'],
    ['a lost object', { object: undefined }, 'o: lost'],
  ])('%s', (_name, changed, problem) => {
    expect(check(changed).join('\n')).toContain(problem);
  });

  it('a lost document, and one that was refused as there', () => {
    const state: State = { documents: new Map(), slots: new Map(), objects: new Map() };
    const [made, refused] = writes;
    if (!made || !refused) throw new Error('The story begins with two creates.');
    expect(checkWrites([made], state)).toEqual(['once: lost']);
    expect(checkWrites([refused], state)).toEqual(['once: refused as there, but it is not']);
  });

  it('a key that was created twice', () => {
    const again: Write = { kind: 'create', key: 'once', mark: 'c.1', outcome: 'acknowledged' };
    const state: State = {
      documents: new Map([['once', { sequence: 1, marks: ['b.1'] }]]),
      slots: new Map(),
      objects: new Map(),
    };
    expect(checkWrites([...writes.slice(0, 2), again], state)).toEqual(['once: created 2 times']);
    const twice = [...changes, { sequence: 6, key: 'data/once' }];
    expect(checkChanges(writes, twice, 0)).toEqual(['once: created twice, as the log has it']);
  });

  it('a version that was acknowledged to two', () => {
    const again: Write = {
      kind: 'save',
      key: 's',
      mark: 'c.1',
      outcome: 'acknowledged',
      version: 2,
    };
    const state: State = {
      documents: new Map(),
      slots: new Map([['s', slot]]),
      objects: new Map(),
    };
    const saves = [...writes, again].filter(({ kind }) => kind === 'save');
    expect(checkWrites(saves, state)).toContain('s: version 2 was stored twice');
  });

  it('a number that is missing, or was given twice', () => {
    expect(checkChanges(writes, changes.slice(0, 4), 0).join()).toContain('5 is not in the log');
    const gap = changes.filter(({ sequence }) => sequence !== 3);
    expect(checkChanges([], gap, 0)).toEqual(['4 follows 2 in the log']);
    const again: Write = {
      kind: 'replace',
      key: 'own',
      mark: 'a.9',
      outcome: 'acknowledged',
      sequence: 3,
    };
    expect(checkChanges([...writes, again], changes, 0)).toEqual([
      'own: the number 3 was given twice',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { checkSurvival } from './check-survival.ts';
import { createLedger, type Ledger, type Stored } from './ledger.ts';
import type { Survey } from './survey.ts';
import { createTally, type Tally } from './tally.ts';

/**
 * The story of all tests: `a` was written twice (1 and 4), `b` created (2) and deleted (5), a tally
 * created (3) with one acknowledged member (6) and one that had no answer; `p` had no answer either.
 */
const good: Readonly<Record<string, Stored>> = {
  a: { text: '{"a":2}', etag: 4 },
  tally: { text: '{"m1":true}', etag: 6 },
};

function story(): { ledger: Ledger; tally: Tally } {
  const ledger = createLedger();
  ledger.acknowledge(ledger.begin('a', '{"a":1}'), 1, '{"a":1}');
  ledger.acknowledge(ledger.begin('b', '{}'), 2, '{}');
  const tally = createTally('tally', 3);
  ledger.count(3);
  ledger.acknowledge(ledger.begin('a', '{"a":2}'), 4, '{"a":2}');
  ledger.acknowledge(ledger.begin('b', null), undefined, '');
  tally.begin('m1');
  tally.acknowledge('m1', 6);
  ledger.count(6);
  tally.begin('m2');
  ledger.begin('p', '{"p":1}');
  return { ledger, tally };
}

function surveyOf(documents: Readonly<Record<string, Stored>>, revision = 6): Survey {
  const keys = Object.keys(documents).sort();
  const absent = ['a', 'b', 'p', 'tally'].map((key) => [key, null] as const);
  return {
    keys,
    lines: keys.map(
      (key) =>
        `{"key":"${key}","etag":"\\"${documents[key]?.etag}\\"","value":${documents[key]?.text}}`,
    ),
    documents: new Map<string, Stored | null>([...absent, ...Object.entries(documents)]),
    revision,
  };
}

function check(documents: Readonly<Record<string, Stored>>, revision?: number): string[] {
  const { ledger, tally } = story();
  return checkSurvival(ledger, tally, surveyOf(documents, revision));
}

describe('accepts', () => {
  it('the acknowledged state', () => {
    expect(check(good)).toEqual([]);
  });

  it('an unanswered write that is wholly there', () => {
    expect(check({ ...good, p: { text: '{"p":1}', etag: 7 } }, 7)).toEqual([]);
  });

  it('an unanswered member', () => {
    expect(check({ ...good, tally: { text: '{"m1":true,"m2":true}', etag: 7 } }, 7)).toEqual([]);
  });

  it('an unanswered deletion, done or not', () => {
    for (const documents of [good, { tally: { text: '{"m1":true}', etag: 6 } }]) {
      const { ledger, tally } = story();
      ledger.begin('a', null);
      expect(checkSurvival(ledger, tally, surveyOf(documents, 7))).toEqual([]);
    }
  });
});

describe('reports', () => {
  const { a: _, ...withoutA } = good;
  const tally = (text: string, etag: number) => ({ ...good, tally: { text, etag } });

  it.each([
    ['a lost document', withoutA, 6, 'a: lost'],
    ['an older state', { ...good, a: { text: '{"a":1}', etag: 1 } }, 6, 'a: lost'],
    ['other bytes', { ...good, a: { text: '{"a": 2}', etag: 4 } }, 6, 'a: lost or torn'],
    ['another ETag', { ...good, a: { text: '{"a":2}', etag: 5 } }, 6, 'a: lost or torn'],
    ['a deleted document', { ...good, b: { text: '{}', etag: 2 } }, 6, 'b: lost or torn'],
    [
      'half of an unanswered write',
      { ...good, p: { text: '{"p"', etag: 7 } },
      7,
      'p: lost or torn',
    ],
    [
      'an unanswered write with an old number',
      { ...good, p: { text: '{"p":1}', etag: 5 } },
      6,
      'p: ETag 5',
    ],
    ['a lost member', tally('{}', 6), 6, 'tally: lost: the acknowledged member m1'],
    [
      'a strange member',
      tally('{"m1":true,"x":true}', 6),
      6,
      'tally: torn: nobody wrote the member x',
    ],
    ['a torn tally', tally('{"m1":tr', 6), 6, 'tally: torn'],
    ['an old tally', tally('{"m1":true}', 5), 6, 'tally: ETag 5'],
    ['a lost tally', { a: { text: '{"a":2}', etag: 4 } }, 6, 'tally: lost'],
    ['a sequence that went back', good, 5, 'the sequence went back to 5; 6 was reached'],
    [
      'a number given twice',
      { ...good, p: { text: '{"p":1}', etag: 6 } },
      6,
      'two documents have the ETag 6',
    ],
    [
      'an ETag past the sequence',
      { ...good, p: { text: '{"p":1}', etag: 8 } },
      7,
      'a document has the ETag 8',
    ],
    ['a document of nobody', { ...good, z: { text: '{}', etag: 7 } }, 7, 'z: nobody wrote it'],
  ])('%s', (_name, documents, revision, problem) => {
    expect(check(documents, revision).join('\n')).toContain(problem);
  });

  it('a list that disagrees', () => {
    const { ledger, tally } = story();
    const survey = surveyOf(good);
    const broken = [
      { ...survey, keys: ['a'] },
      { ...survey, keys: ['a', 'b', 'tally'] },
      { ...survey, keys: ['tally', 'a'] },
      { ...survey, lines: survey.lines.slice(1) },
      { ...survey, lines: survey.lines.map((line) => line.replace('2}', '3}')) },
    ];
    for (const each of broken) {
      expect(checkSurvival(ledger, tally, each)).toEqual([expect.stringContaining('disagrees')]);
    }
  });

  it('answers that were wrong themselves', () => {
    const { ledger, tally } = story();
    ledger.acknowledge(ledger.begin('q', '{"q":1}'), 6, '{"q":2}');
    expect(ledger.problems).toEqual([
      expect.stringContaining('the sequence went back'),
      expect.stringContaining('another text'),
    ]);
    ledger.acknowledge(ledger.begin('r', '{}'), undefined, '{}');
    ledger.reject(ledger.begin('s', '{}'), 'POST was answered with 500');
    expect(ledger.problems).toHaveLength(4);
    expect(checkSurvival(ledger, tally, surveyOf(good, 8))).toEqual(
      expect.arrayContaining([...ledger.problems]),
    );
  });

  it('a sequence that went back over a restart', () => {
    const { ledger, tally } = story();
    const survey = surveyOf(good);
    ledger.adopt(survey.documents, survey.revision);
    expect(checkSurvival(ledger, tally, survey)).toEqual([]);
    ledger.acknowledge(ledger.begin('a', '{"a":3}'), 6, '{"a":3}');
    expect(ledger.problems).toEqual([expect.stringContaining('the sequence went back')]);
  });
});

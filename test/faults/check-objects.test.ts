import { describe, expect, it } from 'vitest';
import { checkObjects } from './check-objects.ts';
import { createObjectLedger, type ObjectLedger } from './object-ledger.ts';
import { md5Of, type ReadAnswer } from './upload-client.ts';

/**
 * The story of all tests: `small` and `large` were uploaded, `gone` uploaded and deleted; `over` had
 * an overwrite under way, `new` its first upload, `going` its deletion.
 */

const bytes = (name: string, size: number): Buffer => Buffer.alloc(size, name);
const small = bytes('small', 100);
const large = bytes('large', 70_000);
const before = bytes('before', 80_000);
const after = bytes('after', 90_000);
const first = bytes('first', 300);
const going = bytes('going', 66_000);

function story(): ObjectLedger {
  const ledger = createObjectLedger();
  const begin = (key: string, content: Buffer | null): void =>
    ledger.begin(key, content && { md5: md5Of(content), size: content.length });
  const write = (key: string, content: Buffer | null): void => {
    begin(key, content);
    ledger.acknowledge(key, content ? md5Of(content) : undefined);
  };
  write('small', small);
  write('large', large);
  write('gone', bytes('gone', 100_000));
  write('gone', null);
  write('over', before);
  write('going', going);
  begin('over', after);
  begin('new', first);
  begin('going', null);
  return ledger;
}

const absent: ReadAnswer = {
  status: 404,
  etag: undefined,
  text: '',
  contentType: 'application/xml',
  md5: md5Of(Buffer.alloc(0)),
  size: 0,
  isWhole: true,
};

function there(content: Buffer, changes: Partial<ReadAnswer> = {}): ReadAnswer {
  const md5 = md5Of(content);
  return { ...absent, status: 200, etag: md5, md5, size: content.length, ...changes };
}

const settled: Readonly<Record<string, ReadAnswer>> = {
  small: there(small),
  large: there(large),
  gone: absent,
  over: there(before),
  new: absent,
  going: there(going),
};
const settledFiles: Readonly<Record<string, Buffer>> = {
  'a/1': large,
  'b/2': before,
  'c/3': going,
};

function check(
  answers: Readonly<Record<string, ReadAnswer>>,
  files: Readonly<Record<string, Buffer>> = settledFiles,
): string[] {
  const digests = Object.entries(files).map(([file, content]) => [file, md5Of(content)] as const);
  return checkObjects(story().entries, {
    answers: new Map(Object.entries(answers)),
    files: new Map(digests),
  });
}

describe('accepts', () => {
  it('the acknowledged state', () => {
    expect(check(settled)).toEqual([]);
  });

  it('unanswered writes that were wholly done', () => {
    const done = { ...settled, over: there(after), new: there(first), going: absent };
    expect(check(done, { 'a/1': large, 'b/4': after })).toEqual([]);
  });
});

describe('reports', () => {
  it.each([
    ['a lost object', { ...settled, small: absent }, 'small: lost'],
    ['other bytes under their own ETag', { ...settled, small: there(first) }, 'small: lost'],
    [
      'bytes that are not their ETag',
      { ...settled, small: there(small, { etag: md5Of(first) }) },
      'small: torn',
    ],
    [
      'an answer that breaks off',
      { ...settled, small: there(small, { isWhole: false }) },
      'small: torn',
    ],
    [
      'an object that cannot be read',
      { ...settled, small: { ...absent, status: 500 } },
      'small: torn',
    ],
    ['a deleted object', { ...settled, gone: there(small) }, 'gone: lost'],
    ['half of an overwrite', { ...settled, over: there(after.subarray(1)) }, 'over: lost'],
  ])('%s', (_name, answers, problem) => {
    expect(check(answers).join('\n')).toContain(problem);
  });

  it('a file that no object has', () => {
    expect(check(settled, { ...settledFiles, 'incoming/9': first })).toEqual([
      expect.stringContaining('incoming/9: left behind'),
    ]);
    // Two files for one object, and the file of a small one.
    expect(check(settled, { ...settledFiles, 'a/9': large, 'd/1': small })).toHaveLength(2);
  });

  it('an object whose file is not there', () => {
    expect(check(settled, { 'a/1': large, 'b/2': before })).toEqual([
      'going: no file has its bytes',
    ]);
  });

  it('an acknowledgement with another ETag', () => {
    const ledger = createObjectLedger();
    ledger.begin('a', { md5: md5Of(small), size: small.length });
    ledger.acknowledge('a', md5Of(large));
    ledger.reject('b', 'answered with 500');
    expect(ledger.problems).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';
import { coverOf, grantWords, type Words } from '../../console/views/users/grant-words.ts';
import { isAllowed } from '../../server/services/grants.ts';

function plain(words: Words | undefined): string | undefined {
  return words?.map((part) => (typeof part === 'string' ? part : part.stored)).join('');
}

function covers(prefix: string, resource: string): boolean {
  const grants = [{ prefix, access: 'read' as const }];
  return isAllowed({ name: 'm', role: 'member', grants, version: 1 }, 'read', resource);
}

describe('what a grant covers', () => {
  it.each([
    ['', 'everything: all documents and all objects'],
    ['data/', 'every document'],
    ['data/players/', 'documents whose key begins with players/'],
    ['uploads/', 'everything in the bucket uploads'],
    ['uploads/a/b/', 'objects in the bucket uploads whose key begins with a/b/'],
  ])('%j: %s', (prefix, words) => {
    expect(plain(coverOf(prefix).covers)).toBe(words);
    expect(coverOf(prefix).warning).toBeUndefined();
  });

  it.each([
    ['data/a', 'documents whose key begins with a', 'data/ab'],
    ['uploads/a', 'objects in the bucket uploads whose key begins with a', 'uploads/ab'],
    ['uploads', 'everything in each bucket whose name begins with uploads', 'uploads-old'],
    [
      'data',
      'every document, and everything in each bucket whose name begins with data',
      'database',
    ],
    ['da', 'every document, and everything in each bucket whose name begins with da', 'da-old'],
  ])('%j: %s, and warns of %s', (prefix, words, other) => {
    const { covers: covered, warning } = coverOf(prefix);
    expect(plain(covered)).toBe(words);
    expect(warning).toContainEqual({ stored: other });
    expect(covers(prefix, other)).toBe(true);
    expect(covers(prefix, `${other}/`)).toBe(true);
    // What is said to be narrower is.
    const narrower = warning?.findLast((part) => typeof part !== 'string');
    expect(narrower).toBeDefined();
    if (typeof narrower === 'object') expect(covers(narrower.stored, `${other}/`)).toBe(false);
  });

  it.each(['/data/players/', '/', 'Uploads/', 'up_loads/', 'api/users', 'Uploads', '*', 'ab/'])(
    '%j: nothing, and says why',
    (prefix) => {
      expect(plain(coverOf(prefix).covers)).toBe('nothing');
      expect(plain(coverOf(prefix).warning)).toBeTruthy();
    },
  );

  it('says that a star is no wildcard', () => {
    expect(plain(coverOf('data/players/*').warning)).toContain('star');
    expect(covers('data/players/*', 'data/players/ada')).toBe(false);
  });

  it('says whether it may write', () => {
    expect(plain(grantWords({ prefix: 'data/', access: 'read' }))).toBe('reads every document');
    expect(plain(grantWords({ prefix: 'data/', access: 'write' }))).toBe(
      'reads and writes every document',
    );
  });
});

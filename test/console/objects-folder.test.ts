import { describe, expect, it } from 'vitest';
import { keyOfUrl, objectPath } from '../../console/api/object-path.ts';
import {
  crumbsOf,
  entriesOf,
  fileNameOf,
  folderOf,
  keyOf,
} from '../../console/views/objects/folder.ts';
import { resourceUrl } from '../../server/services/resource-url.ts';

const KEYS = [
  'a',
  'a/b',
  'a//b',
  '/a',
  'a/',
  'a b%c#d?e',
  'a/../b',
  'a/.',
  '..a',
  '\u202e',
  'ä\n\\',
];

describe('the path of an object', () => {
  it.each(KEYS)('is one that a browser sends as it is: %j', (key) => {
    const path = objectPath('bucket', key) ?? '';
    expect(new URL(path, 'http://localhost').pathname).toBe(path);
    expect(decodeURIComponent(path)).toBe(`/bucket/${key}`);
  });

  it.each(['.', '..'])('is none for %s alone', (key) => {
    expect(objectPath('bucket', key)).toBeUndefined();
    // What follows would be the path of something else.
    expect(objectPath(key, 'data/players/ada')).toBeUndefined();
  });
});

describe('the key of a change', () => {
  it.each(KEYS)('is what the server names: %j', (key) => {
    expect(keyOfUrl(resourceUrl('bucket', key), 'bucket')).toBe(key);
  });

  it('is none for another bucket, a document, or what is no escape', () => {
    expect(keyOfUrl('/bucket2/a', 'bucket')).toBeUndefined();
    expect(keyOfUrl('/data/bucket/a', 'bucket')).toBeUndefined();
    expect(keyOfUrl('/bucket/%', 'bucket')).toBeUndefined();
  });
});

describe('folders', () => {
  it('end with the last slash of a prefix', () => {
    expect(['', 'a', 'a/', 'a/b', 'a//', '/'].map(folderOf)).toEqual([
      '',
      '',
      'a/',
      'a/',
      'a//',
      '/',
    ]);
  });

  it('lead one to another, with names or without', () => {
    expect(crumbsOf('')).toEqual([]);
    expect(crumbsOf('a//b/')).toEqual([
      { name: 'a', prefix: 'a/' },
      { name: '', prefix: 'a//' },
      { name: 'b', prefix: 'a//b/' },
    ]);
  });

  it('name files by the last part of a key that has a name', () => {
    expect(['a', 'a/b', 'a/b/', '//'].map(fileNameOf)).toEqual(['a', 'b', 'b', 'object']);
  });
});

describe('entries', () => {
  it('are folders and objects of a page, together', () => {
    const object = (key: string) => ({ key, size: 1, etag: '"1"', time: '', acl: 'private' });
    const objects = [object('a'), object('b'), object('d')];
    const entries = entriesOf({ objects, prefixes: ['a/', 'c/'] });
    expect(entries.map(keyOf)).toEqual(['a', 'a/', 'b', 'c/', 'd']);
  });
});

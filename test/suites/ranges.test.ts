import { describe, expect, it } from 'vitest';
import { parseByteRange } from '../../server/s3/byte-range.ts';
import { S3Error } from '../../server/s3/s3-error.ts';

/** What of an object a Range header asks for, by the tables that compatibility suites have. */

describe('a Range header', () => {
  it.each([
    'bytes=,',
    'bytes= -1',
    'bytes=--1',
    'bytes=0 -1',
    'bytes=0--1',
    'bytes=10-5',
    'bytes=abc',
    'bytes=a-z',
    'bytes=100-x',
    'bytes=0-0,1-2',
    'bytes=-',
    'foo=0-1',
    '0-1',
    '',
  ])('that is none asks for the whole object: %j', (header) => {
    expect(parseByteRange(header, 100)).toBeUndefined();
    expect(parseByteRange(header, 0)).toBeUndefined();
  });

  it.each([
    ['bytes=00-01', 0, 1],
    ['bytes=0-0', 0, 0],
    ['bytes=0-99', 0, 99],
    ['bytes=0-100', 0, 99],
    ['bytes=0-999999', 0, 99],
    ['bytes=50-', 50, 99],
    ['bytes=99-99', 99, 99],
    ['bytes=-1', 99, 99],
    ['bytes=-100', 0, 99],
    ['bytes=-101', 0, 99],
    [' bytes=4-7 ', 4, 7],
  ])('asks for the bytes between two, both included: %j', (header, start, end) => {
    expect(parseByteRange(header, 100)).toEqual({ start, end });
  });

  it.each<[string, number]>([
    ['bytes=-0', 100],
    ['bytes=100-100', 100],
    ['bytes=100-110', 100],
    ['bytes=100-', 100],
    ['bytes=0-', 0],
    ['bytes=0-0', 0],
    ['bytes=00-01', 0],
    ['bytes=-0', 0],
  ])('that has none of the bytes is refused: %j of %i', (header, size) => {
    expect(() => parseByteRange(header, size)).toThrow(S3Error);
  });

  it('for the last bytes of an empty object asks for the whole', () => {
    expect(parseByteRange('bytes=-1', 0)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { checkBucketName, isBucketName } from '../../server/s3/bucket-name.ts';
import { checkObjectKey, parseResource } from '../../server/s3/object-key.ts';
import { s3ErrorOf, told } from './aws-examples.ts';

describe('bucket names', () => {
  test.each([
    'abc',
    'a.b-c.1',
    '123',
    'ctr-jwvj-live',
    'a'.repeat(63),
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.a',
    'my-xn--bucket',
  ])('%s is one', (name) => {
    expect(isBucketName(name)).toBe(true);
    checkBucketName(name);
  });

  test.each([
    '',
    'ab',
    'a'.repeat(64),
    'Abc',
    'a_b',
    'a b',
    'a/b',
    'aé1',
    'abc\n',
    '-abc',
    'abc-',
    '.abc',
    'abc.',
    'a..b',
    '192.168.5.4',
    '999.1.1.1',
    'xn--abc',
    'sthree-abc',
    'amzn-s3-demo-abc',
    'abc-s3alias',
    'abc--ol-s3',
    'abc.mrap',
    'abc--x-s3',
    'abc--table-s3',
  ])('%j is none', (name) => {
    expect(told(() => checkBucketName(name))).toEqual([
      'InvalidBucketName',
      400,
      'The specified bucket is not valid.',
      { BucketName: name },
    ]);
  });
});

describe('object keys', () => {
  test('have 1 to 1,024 bytes of UTF-8', () => {
    checkObjectKey('a');
    checkObjectKey('é'.repeat(512));
    checkObjectKey('/..//\u0001');
    expect(() => checkObjectKey('a\u0000b')).toThrow('A key must not contain NUL.');
    expect(told(() => checkObjectKey(`${'é'.repeat(512)}a`))).toEqual([
      'KeyTooLongError',
      400,
      'Your key is too long',
      { Size: '1025', MaxSizeAllowed: '1024' },
    ]);
    expect(told(() => checkObjectKey(''))).toEqual([
      'InvalidArgument',
      400,
      'User key must have a length greater than 0.',
      { ArgumentName: 'key', ArgumentValue: '' },
    ]);
  });

  test.each([
    ['/', undefined, undefined, ''],
    ['', undefined, undefined, ''],
    ['/b', undefined, 'b', ''],
    ['/b/', undefined, 'b', ''],
    ['/b/a+b%20c%2Fd', undefined, 'b', 'a+b c/d'],
    ['/b//a/', undefined, 'b', '/a/'],
    ['/b/%2541', undefined, 'b', '%41'],
    ['/b/\u00c3\u00a9%C3%A9', undefined, 'b', 'éé'],
    ['/b/%EF%BB%BF', undefined, 'b', '\ufeff'],
    ['/', 'h', 'h', ''],
    ['/b/k', 'h', 'h', 'b/k'],
    ['//k', 'h', 'h', '/k'],
  ])('the path %j on the host of %j is %j and %j', (path, hostBucket, bucket, key) => {
    expect(parseResource(path, hostBucket)).toEqual({ bucket, key });
  });

  test.each(['/b/%', '/b/%4', '/b/%zz', '/b/%ff', '/b/\u00ff', '/%C3/k'])(
    'the path %j cannot be read',
    (path) => {
      expect(s3ErrorOf(() => parseResource(path)).code).toBe('InvalidURI');
    },
  );
});

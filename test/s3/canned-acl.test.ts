import { expect, test } from 'vitest';
import {
  cannedAcls,
  mayListBucket,
  mayReadObject,
  mayWriteObjects,
  parseCannedAcl,
} from '../../server/s3/canned-acl.ts';
import { told } from './aws-examples.ts';

test('the seven of S3 are read, case-sensitively', () => {
  expect(cannedAcls.map((acl) => parseCannedAcl(acl, 'acl'))).toEqual([
    'private',
    'public-read',
    'public-read-write',
    'authenticated-read',
    'bucket-owner-read',
    'bucket-owner-full-control',
    'aws-exec-read',
  ]);
  for (const value of ['', 'Private', 'public', 'log-delivery-write']) {
    const [code, status, , members] = told(() => parseCannedAcl(value, 'x-amz-acl'));
    expect([code, status, members]).toEqual([
      'InvalidArgument',
      400,
      { ArgumentName: 'x-amz-acl', ArgumentValue: value },
    ]);
  }
});

test.each([
  ['private', [], []],
  ['public-read', ['anonymous', 'authenticated'], []],
  ['public-read-write', ['anonymous', 'authenticated'], ['anonymous', 'authenticated']],
  ['authenticated-read', ['authenticated'], []],
  ['bucket-owner-read', [], []],
  ['bucket-owner-full-control', [], []],
  ['aws-exec-read', [], []],
] as const)('%s lets others read: %j, and write: %j', (acl, readers, writers) => {
  const callers = ['anonymous', 'authenticated', 'owner'] as const;
  expect(callers.filter((caller) => mayReadObject(acl, caller))).toEqual([...readers, 'owner']);
  expect(callers.filter((caller) => mayListBucket(acl, caller))).toEqual([...readers, 'owner']);
  expect(callers.filter((caller) => mayWriteObjects(acl, caller))).toEqual([...writers, 'owner']);
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import { type ChecksumAlgorithm, checksumAlgorithms } from '../../server/s3/expected-checksums.ts';
import { multipartEtag } from '../../server/s3/multipart-etag.ts';
import {
  checkChecksumType,
  checksumTypes,
  objectChecksum,
} from '../../server/s3/part-checksums.ts';
import { told } from './aws-examples.ts';

function checksum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  const running = createChecksum(algorithm);
  running.update(bytes);
  return running.digest();
}

const partLists = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });

describe('checkChecksumType', () => {
  test.each([
    ['crc32', 'COMPOSITE'],
    ['crc32c', 'COMPOSITE'],
    ['crc64nvme', 'FULL_OBJECT'],
    ['sha1', 'COMPOSITE'],
    ['sha256', 'COMPOSITE'],
  ] as const)('the default of %s is %s', (algorithm, type) => {
    expect(checkChecksumType(algorithm, undefined)).toBe(type);
    expect(checkChecksumType(algorithm, type)).toBe(type);
  });

  test.each(['crc32', 'crc32c'] as const)('%s may be of the full object', (algorithm) => {
    expect(checkChecksumType(algorithm, 'FULL_OBJECT')).toBe('FULL_OBJECT');
  });

  test.each([
    ['crc64nvme', 'COMPOSITE'],
    ['sha1', 'FULL_OBJECT'],
    ['sha256', 'FULL_OBJECT'],
  ] as const)('%s may not be %s', (algorithm, type) => {
    const refused = [
      'InvalidRequest',
      400,
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
      {},
    ];
    expect(told(() => checkChecksumType(algorithm, type))).toEqual(refused);
    expect(told(() => objectChecksum(algorithm, type, []))).toEqual(refused);
  });
});

describe('objectChecksum', () => {
  test('of the full object is the checksum of its bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('crc32' as const, 'crc32c' as const, 'crc64nvme' as const),
        partLists,
        (algorithm, pieces) => {
          const parts = pieces.map((piece) => ({
            value: checksum(algorithm, piece),
            size: piece.length,
          }));
          expect(objectChecksum(algorithm, 'FULL_OBJECT', parts)).toBe(
            checksum(algorithm, Buffer.concat(pieces)),
          );
        },
      ),
    );
  });

  test('composite is the checksum of the raw checksums, and their number', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...checksumAlgorithms.filter((algorithm) => algorithm !== 'crc64nvme')),
        partLists,
        (algorithm, pieces) => {
          const values = pieces.map((piece) => checksum(algorithm, piece));
          const raw = Buffer.concat(values.map((value) => Buffer.from(value, 'base64')));
          expect(
            objectChecksum(
              algorithm,
              'COMPOSITE',
              values.map((value, at) => ({ value, size: pieces[at]?.length ?? 0 })),
            ),
          ).toBe(`${checksum(algorithm, raw)}-${pieces.length}`);
        },
      ),
    );
  });

  test('the names are S3’s', () => expect(checksumTypes).toEqual(['COMPOSITE', 'FULL_OBJECT']));
});

describe('multipartEtag', () => {
  test('is the MD5 of the raw MD5s, and their number', () => {
    const [first, second] = ['a', 'b'].map((text) => createHash('md5').update(text).digest());
    const md5s = [first, second].map((md5) => md5?.toString('hex') ?? '');
    const both = Buffer.concat([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)]);
    expect(multipartEtag(md5s)).toBe(`${createHash('md5').update(both).digest('hex')}-2`);
  });

  // `printf a | md5sum | xxd -r -p | md5sum`
  test('of one part is not the MD5 of that part', () => {
    expect(multipartEtag(['0cc175b9c0f1b6a831c399e269772661'])).toBe(
      'b6ff9a06b7e20bcb2858c5b8ff744aea-1',
    );
  });
});

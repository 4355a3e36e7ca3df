import type { FormFields } from './form-fields.ts';
import { S3Error } from './s3-error.ts';

export const checksumAlgorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;

export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

const digestBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

/** What the client says that the bytes hash to, in base64. */
export interface ExpectedChecksums {
  readonly md5?: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
}

/**
 * Reads `content-md5` and `x-amz-checksum-…`; `get` finds a field or header by its name in lower
 * case. Throws S3Error InvalidDigest or InvalidRequest for a value that no bytes could have, for two
 * checksums, and for an `x-amz-checksum-algorithm` without its checksum.
 */
export function parseExpectedChecksums(
  get: (name: string) => string | undefined,
): ExpectedChecksums {
  const md5 = get('content-md5');
  if (md5 !== undefined && !isDigest(md5, 16)) {
    throw new S3Error('InvalidDigest', { extra: [['Content-MD5', md5]] });
  }
  const given = checksumAlgorithms.flatMap((algorithm) => {
    const value = get(`x-amz-checksum-${algorithm}`);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [checksum, ...others] = given;
  if (others.length > 0) throw multipleChecksums();
  checkAlgorithm(get('x-amz-checksum-algorithm'), checksum?.algorithm);
  if (checksum !== undefined && !isChecksum(checksum.algorithm, checksum.value)) {
    throw invalidChecksum(checksum.algorithm);
  }
  return { ...(md5 === undefined ? {} : { md5 }), ...(checksum === undefined ? {} : { checksum }) };
}

function checkAlgorithm(named: string | undefined, given: ChecksumAlgorithm | undefined): void {
  const algorithm = parseChecksumAlgorithm(named);
  if (algorithm !== undefined && algorithm !== given) {
    throw new S3Error('InvalidRequest', {
      message: `x-amz-checksum-algorithm specified, but no corresponding x-amz-checksum-${algorithm} was found.`,
    });
  }
}

/** S3's others, which are not calculated here. */
const OTHER_ALGORITHMS = new Set(['md5', 'sha512', 'xxhash3', 'xxhash64', 'xxhash128']);

/**
 * A checksum that is not compared would be a promise that is not kept. Throws S3Error NotImplemented,
 * or InvalidRequest for a header or field that S3 does not have.
 */
export function refuseOtherChecksums(fields: FormFields): void {
  for (const [key, { name }] of fields) {
    const [, algorithm] = /^x-amz-checksum-(.*)$/.exec(key) ?? [];
    if (algorithm === undefined || /^(algorithm|mode|type)$/.test(algorithm)) continue;
    if (checksumAlgorithms.some((known) => known === algorithm)) continue;
    refuseOtherAlgorithm(algorithm, name);
    throw new S3Error('InvalidRequest', {
      message: 'The algorithm type you specified in x-amz-checksum- header is invalid.',
    });
  }
}

/** Throws S3Error NotImplemented for what S3 has; `header` is what names it. */
export function refuseOtherAlgorithm(algorithm: string, header: string): void {
  if (!OTHER_ALGORITHMS.has(algorithm)) return;
  throw new S3Error('NotImplemented', { extra: [['Header', header]] });
}

/**
 * `CRC32` and its like, in any case. Throws S3Error InvalidRequest for an unknown one, NotImplemented for
 * S3's others.
 */
export function parseChecksumAlgorithm(named: string | undefined): ChecksumAlgorithm | undefined {
  if (named === undefined) return undefined;
  const algorithm = checksumAlgorithms.find((known) => known === named.toLowerCase());
  if (algorithm !== undefined) return algorithm;
  refuseOtherAlgorithm(named.toLowerCase(), 'x-amz-checksum-algorithm');
  throw new S3Error('InvalidRequest', {
    message:
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
  });
}

/** Whether some bytes could have it. */
export function isChecksum(algorithm: ChecksumAlgorithm, base64: string): boolean {
  return isDigest(base64, digestBytes[algorithm]);
}

export function invalidChecksum(algorithm: ChecksumAlgorithm): S3Error {
  return new S3Error('InvalidRequest', {
    message: `Value for x-amz-checksum-${algorithm} header is invalid.`,
  });
}

export function multipleChecksums(): S3Error {
  return new S3Error('InvalidRequest', {
    message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
  });
}

function isDigest(base64: string, bytes: number): boolean {
  const digest = Buffer.from(base64, 'base64');
  return digest.length === bytes && digest.toString('base64') === base64;
}

/** Throws S3Error BadDigest for the first of the checksums that `calculated` (base64) contradicts. */
export function checkChecksums(
  expected: ExpectedChecksums,
  calculated: { md5: string; checksum?: string | undefined },
): void {
  const { md5, checksum } = expected;
  if (md5 !== undefined && md5 !== calculated.md5) {
    throw new S3Error('BadDigest', {
      extra: [
        // One in hex and one in base64, as S3 tells them.
        ['ExpectedDigest', Buffer.from(md5, 'base64').toString('hex')],
        ['CalculatedDigest', calculated.md5],
      ],
    });
  }
  if (checksum !== undefined && checksum.value !== calculated.checksum) {
    throw checksumMismatch(checksum.algorithm);
  }
}

export function checksumMismatch(algorithm: ChecksumAlgorithm): S3Error {
  return new S3Error('BadDigest', {
    message: `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
  });
}

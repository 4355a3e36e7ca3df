import { createChecksum } from './checksum.ts';
import { combineCrc, isCrc } from './combine-crc.ts';
import type { ChecksumAlgorithm } from './expected-checksums.ts';
import { S3Error } from './s3-error.ts';

/**
 * What the checksum of an object made of parts covers: the checksums of its parts, or its bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export const checksumTypes = ['COMPOSITE', 'FULL_OBJECT'] as const;

export type ChecksumType = (typeof checksumTypes)[number];

/**
 * The type that an upload in parts has: the one it asks for, or the algorithm's default. Throws
 * S3Error InvalidRequest for a type that the algorithm does not have.
 */
export function checkChecksumType(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType | undefined,
): ChecksumType {
  const [standard, ...others] = typesOf(algorithm);
  if (type === undefined) return standard;
  if (type !== standard && !others.includes(type)) throw unusable(algorithm, type);
  return type;
}

/** The default comes first. */
function typesOf(algorithm: ChecksumAlgorithm): [ChecksumType, ...ChecksumType[]] {
  // S3 has no composite CRC-64, and hashes of pieces do not tell the hash of the whole.
  if (algorithm === 'crc64nvme') return ['FULL_OBJECT'];
  return isCrc(algorithm) ? ['COMPOSITE', 'FULL_OBJECT'] : ['COMPOSITE'];
}

/** The checksum of one part, in base64, and how many bytes it is of. */
export interface PartChecksum {
  readonly value: string;
  readonly size: number;
}

/**
 * The checksum of the object that the parts make, in their order. A composite one is that of the
 * parts' checksums, then a dash and the number of parts; that of the full object is what its bytes in
 * one piece would have. Throws S3Error InvalidRequest as `checkChecksumType` does.
 */
export function objectChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): string {
  checkChecksumType(algorithm, type);
  const checksum = createChecksum(algorithm);
  if (type === 'FULL_OBJECT' && isCrc(algorithm)) {
    return parts.reduce(
      (whole, { value, size }) => combineCrc(algorithm, whole, value, size),
      checksum.digest(),
    );
  }
  for (const { value } of parts) checksum.update(Buffer.from(value, 'base64'));
  return `${checksum.digest()}-${parts.length}`;
}

function unusable(algorithm: ChecksumAlgorithm, type: ChecksumType): S3Error {
  return new S3Error('InvalidRequest', {
    message: `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
  });
}

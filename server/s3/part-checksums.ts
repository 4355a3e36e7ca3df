import { createChecksum } from './checksum.ts';
import { combineCrc, isCrc } from './combine-crc.ts';
import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  invalidChecksum,
  isChecksum,
  multipleChecksums,
} from './expected-checksums.ts';
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

/** `x-amz-checksum-type`. Throws S3Error InvalidRequest for an unknown one. */
export function parseChecksumType(text: string | undefined): ChecksumType | undefined {
  if (text === undefined) return undefined;
  const type = checksumTypes.find((known) => known === text.toUpperCase());
  if (type !== undefined) return type;
  throw new S3Error('InvalidRequest', {
    message: 'Value for x-amz-checksum-type header is invalid.',
  });
}

/** What a client says that an object made of parts has: of a composite one with the number of parts. */
export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

/**
 * Of the headers of CompleteMultipartUpload; `get` finds one by its name in lower case. Throws S3Error
 * InvalidRequest for several, and for a value that no parts could have.
 */
export function parseObjectChecksum(
  get: (name: string) => string | undefined,
): ObjectChecksum | undefined {
  const given = checksumAlgorithms.flatMap((algorithm) => {
    const value = get(`x-amz-checksum-${algorithm}`);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [checksum, ...others] = given;
  if (others.length > 0) throw multipleChecksums();
  if (!checksum) return undefined;
  const { algorithm, value } = checksum;
  // A composite one may have the number of its parts behind it.
  if (!isChecksum(algorithm, value.replace(/-\d+$/, ''))) throw invalidChecksum(algorithm);
  return checksum;
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

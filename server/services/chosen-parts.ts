import { MIN_PART_BYTES } from '../../shared/limits.ts';
import { checksumMismatch } from '../s3/expected-checksums.ts';
import type { ObjectChecksum } from '../s3/part-checksums.ts';
import { type ErrorMember, S3Error } from '../s3/s3-error.ts';
import type { StoredChecksum } from './byte-places.ts';
import type { Part } from './part-records.ts';

/** What a client says that an object is made of, compared with what was received. */

export interface WantedPart {
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum?: Pick<StoredChecksum, 'algorithm' | 'value'> | undefined;
}

/**
 * The wanted parts in their order. Throws S3Error InvalidPartOrder, InvalidPart for one that was not
 * received or is another, EntityTooSmall for one of less than 5 MiB that is not the last.
 */
export function chooseParts(
  uploadId: string,
  received: readonly Part[],
  wanted: readonly WantedPart[],
): Part[] {
  if (!isAscending(wanted)) {
    throw new S3Error('InvalidPartOrder', { extra: [['UploadId', uploadId]] });
  }
  const byNumber = new Map(received.map((part) => [part.number, part]));
  return wanted.map((claim, at) => {
    const part = byNumber.get(claim.number);
    if (!part || !isSamePart(part, claim)) {
      throw new S3Error('InvalidPart', {
        extra: [['UploadId', uploadId], ...describe(claim)],
      });
    }
    if (at < wanted.length - 1 && part.size < MIN_PART_BYTES) {
      throw new S3Error('EntityTooSmall', {
        extra: [
          ['ProposedSize', String(part.size)],
          ['MinSizeAllowed', String(MIN_PART_BYTES)],
          ...describe(claim),
        ],
      });
    }
    return part;
  });
}

function isAscending(parts: readonly WantedPart[]): boolean {
  return parts.every(({ number }, at) => at === 0 || number > (parts[at - 1]?.number ?? number));
}

function isSamePart({ etag, checksum }: Part, claim: WantedPart): boolean {
  if (etag !== claim.etag) return false;
  return (
    claim.checksum === undefined ||
    (claim.checksum.algorithm === checksum?.algorithm && claim.checksum.value === checksum.value)
  );
}

function describe({ number, etag }: WantedPart): ErrorMember[] {
  return [
    ['PartNumber', String(number)],
    ['ETag', etag],
  ];
}

/** Throws S3Error InvalidRequest for another algorithm or type than the upload's, BadDigest for another value. */
export function checkWholeChecksum(
  claimed: ObjectChecksum | undefined,
  calculated: StoredChecksum | undefined,
): void {
  if (claimed === undefined) return;
  if (claimed.algorithm !== calculated?.algorithm) {
    throw otherAlgorithm(calculated?.algorithm, claimed.algorithm);
  }
  if (claimed.type !== undefined && claimed.type !== calculated.type) {
    throw new S3Error('InvalidRequest', {
      message: `The upload was created using the ${calculated.type} checksum mode. The complete request must use the same checksum mode.`,
    });
  }
  // A composite checksum may come without the number of its parts.
  if (![calculated.value, calculated.value.replace(/-\d+$/, '')].includes(claimed.value))
    throw checksumMismatch(claimed.algorithm);
}

/** An upload's checksums are all of the algorithm that it began with. */
export function otherAlgorithm(expected: string | undefined, actual: string): S3Error {
  return new S3Error('InvalidRequest', {
    message: `Checksum Type mismatch occurred, expected checksum Type: ${expected ?? 'null'}, actual checksum Type: ${actual}`,
  });
}

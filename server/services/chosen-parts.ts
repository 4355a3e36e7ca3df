import { MIN_PART_BYTES } from '../../shared/limits.ts';
import { checksumMismatch } from '../s3/expected-checksums.ts';
import type { ChecksumType, ObjectChecksum } from '../s3/part-checksums.ts';
import { type ErrorMember, S3Error } from '../s3/s3-error.ts';
import type { StoredChecksum } from './byte-places.ts';
import type { Part } from './part-records.ts';
import type { MultipartUpload } from './upload-records.ts';

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
  const chosen = wanted.map((claim) => {
    const part = byNumber.get(claim.number);
    if (part && isSamePart(part, claim)) return part;
    throw new S3Error('InvalidPart', { extra: [['UploadId', uploadId], ...describe(claim)] });
  });
  const small = chosen.slice(0, -1).find(({ size }) => size < MIN_PART_BYTES);
  if (!small) return chosen;
  throw new S3Error('EntityTooSmall', {
    extra: [
      ['ProposedSize', String(small.size)],
      ['MinSizeAllowed', String(MIN_PART_BYTES)],
      ...describe(small),
    ],
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

function describe({ number, etag }: Pick<WantedPart, 'number' | 'etag'>): ErrorMember[] {
  return [
    ['PartNumber', String(number)],
    ['ETag', etag],
  ];
}

/** Throws S3Error InvalidRequest for another type than the upload's. */
export function checkChecksumMode(
  claimed: ChecksumType | undefined,
  actual: ChecksumType | undefined,
): void {
  if (claimed === undefined || actual === undefined || claimed === actual) return;
  throw new S3Error('InvalidRequest', {
    message: `The upload was created using the ${actual} checksum mode. The complete request must use the same checksum mode.`,
  });
}

/**
 * A composite checksum is made of what the client knows of its parts. Throws S3Error InvalidRequest for
 * a part without it.
 */
export function checkPartChecksums(
  upload: MultipartUpload['checksum'],
  wanted: readonly WantedPart[],
): void {
  const bare = wanted.find(({ checksum }) => checksum === undefined);
  if (upload?.type !== 'COMPOSITE' || !bare) return;
  throw new S3Error('InvalidRequest', {
    message: `The upload was created using a ${upload.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${bare.number} in the request.`,
  });
}

/** Throws S3Error InvalidRequest for another algorithm than the upload's, BadDigest for another value. */
export function checkWholeChecksum(
  claimed: ObjectChecksum | undefined,
  calculated: StoredChecksum | undefined,
): void {
  if (claimed === undefined) return;
  if (claimed.algorithm !== calculated?.algorithm) {
    throw otherAlgorithm(calculated?.algorithm, claimed.algorithm);
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

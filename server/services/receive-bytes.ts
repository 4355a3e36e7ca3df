import { createHash, randomBytes } from 'node:crypto';
import { MAX_INLINE_OBJECT_BYTES } from '../../shared/limits.ts';
import { checkSize, checkSizeSoFar } from '../s3/check-post-policy.ts';
import { createChecksum } from '../s3/checksum.ts';
import {
  type ChecksumAlgorithm,
  checkChecksums,
  type ExpectedChecksums,
} from '../s3/expected-checksums.ts';
import type { ContentLengthRange } from '../s3/post-policy.ts';
import type { BlobStore } from '../stores/blob-store.ts';
import { type NewBytes, type Piece, putBytes } from './byte-places.ts';

/** What an upload has to be; all ranges hold. */
export interface ByteDemands {
  readonly ranges: readonly ContentLengthRange[];
  readonly expected: ExpectedChecksums;
  /** What is calculated and kept, whatever is expected. */
  readonly algorithm?: ChecksumAlgorithm | undefined;
  /** Asked once the last byte has come: only then a trailer has told its checksums. */
  readonly trailer?: (() => ExpectedChecksums) | undefined;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Takes the bytes as they arrive: hashed, counted, and written once they are more than lie beside an
 * index entry. Rejects with what the source throws, with S3Error EntityTooLarge as soon as a range is
 * passed, EntityTooSmall or BadDigest at the end, or as `BlobStore.put` does; then nothing is kept.
 */
export async function receiveBytes(
  source: AsyncIterable<Buffer>,
  demands: ByteDemands,
  blobs: BlobStore,
): Promise<NewBytes> {
  const measured = measure(source, demands);
  const bytes = measured.bytes();
  const head: Buffer[] = [];
  let headBytes = 0;
  for (;;) {
    const { value, done } = await bytes.next();
    if (done) {
      const id = randomBytes(16).toString('hex');
      return newBytes(measured.result(), { id, isInline: true }, Buffer.concat(head));
    }
    head.push(value);
    headBytes += value.length;
    if (headBytes > MAX_INLINE_OBJECT_BYTES) break;
  }
  // The end of `bytes` has passed every check before the blob store calls the blob whole.
  const { id } = await blobs.put(continued(head, bytes));
  return newBytes(measured.result(), { id, isInline: false }, NO_BYTES);
}

function newBytes(
  result: Pick<NewBytes, 'etag' | 'size' | 'checksum'>,
  place: Piece,
  inline: Buffer,
): NewBytes {
  return { ...result, place, checks: [], mutations: [putBytes(place, inline)] };
}

async function* continued(head: Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* head.splice(0);
  yield* rest;
}

function measure(source: AsyncIterable<Buffer>, demands: ByteDemands) {
  const { ranges, expected } = demands;
  const algorithm = expected.checksum?.algorithm ?? demands.algorithm;
  const md5 = createHash('md5');
  const checksum = algorithm && createChecksum(algorithm);
  let size = 0;
  let digest: Buffer | undefined;
  return {
    async *bytes(): AsyncGenerator<Buffer, undefined> {
      for await (const chunk of source) {
        size += chunk.length;
        checkSizeSoFar(ranges, size);
        md5.update(chunk);
        checksum?.update(chunk);
        yield chunk;
      }
      checkSize(ranges, size);
      digest = md5.digest();
      const calculated = { md5: digest.toString('base64'), checksum: checksum?.digest() };
      checkChecksums(expected, calculated);
      if (demands.trailer) checkChecksums(demands.trailer(), calculated);
    },
    result() {
      return {
        size,
        etag: digest?.toString('hex') ?? '',
        checksum: algorithm && checksum && { algorithm, value: checksum.digest() },
      };
    },
  };
}

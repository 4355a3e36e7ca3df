import { createHash } from 'node:crypto';
import { MAX_INLINE_OBJECT_BYTES } from '../../shared/limits.ts';
import { checkSize, checkSizeSoFar } from '../s3/check-post-policy.ts';
import { createChecksum } from '../s3/checksum.ts';
import { checkChecksums, type ExpectedChecksums } from '../s3/expected-checksums.ts';
import type { ContentLengthRange } from '../s3/post-policy.ts';
import type { BlobStore } from '../stores/blob-store.ts';

/** The bytes of an upload: on disk or in memory, whole and verified, and visible to nobody yet. */
export interface ReceivedBytes {
  readonly size: number;
  /** In hex: the object's ETag. */
  readonly md5: string;
  readonly checksum: ExpectedChecksums['checksum'];
  readonly place: { readonly inline: Buffer } | { readonly blob: string };
}

/** What an upload has to be; all ranges hold. */
export interface ByteDemands {
  readonly ranges: readonly ContentLengthRange[];
  readonly expected: ExpectedChecksums;
}

/**
 * Takes the bytes as they arrive: hashed, counted, and written once they are more than lie beside an
 * index entry. Rejects with what the source throws, with S3Error EntityTooLarge as soon as a range is
 * passed, EntityTooSmall or BadDigest at the end, or as `BlobStore.put` does; then nothing is kept.
 */
export async function receiveBytes(
  source: AsyncIterable<Buffer>,
  demands: ByteDemands,
  blobs: BlobStore,
): Promise<ReceivedBytes> {
  const measured = measure(source, demands);
  const bytes = measured.bytes();
  const head: Buffer[] = [];
  let headBytes = 0;
  for (;;) {
    const { value, done } = await bytes.next();
    if (done) return { ...measured.result(), place: { inline: Buffer.concat(head) } };
    head.push(value);
    headBytes += value.length;
    if (headBytes > MAX_INLINE_OBJECT_BYTES) break;
  }
  // The end of `bytes` has passed every check before the blob store calls the blob whole.
  const { id } = await blobs.put(continued(head, bytes));
  return { ...measured.result(), place: { blob: id } };
}

async function* continued(head: Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* head.splice(0);
  yield* rest;
}

function measure(source: AsyncIterable<Buffer>, { ranges, expected }: ByteDemands) {
  const md5 = createHash('md5');
  const checksum = expected.checksum && createChecksum(expected.checksum.algorithm);
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
      checkChecksums(expected, { md5: digest.toString('base64'), checksum: checksum?.digest() });
    },
    result() {
      return { size, md5: digest?.toString('hex') ?? '', checksum: expected.checksum };
    },
  };
}

import { randomBytes } from 'node:crypto';
import { MAX_INLINE_OBJECT_BYTES } from '../../shared/limits.ts';
import type { Digests } from '../s3/body-digests.ts';
import { checkSize, checkSizeSoFar } from '../s3/check-post-policy.ts';
import {
  type ChecksumAlgorithm,
  checkChecksums,
  type ExpectedChecksums,
} from '../s3/expected-checksums.ts';
import type { ContentLengthRange } from '../s3/post-policy.ts';
import type { BlobStore } from '../stores/blob-store.ts';
import { type BodyHash, createBodyHash } from './body-hash.ts';
import { type NewBytes, type Piece, putBytes } from './byte-places.ts';
import type { HashThreads } from './hash-threads.ts';

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
 * passed, EntityTooSmall or BadDigest at the end, or as `BlobStore.put` and BodyHash do; then nothing is
 * kept.
 */
export async function receiveBytes(
  source: AsyncIterable<Buffer>,
  demands: ByteDemands,
  to: { readonly blobs: BlobStore; readonly threads: HashThreads },
): Promise<NewBytes> {
  const algorithm = demands.expected.checksum?.algorithm ?? demands.algorithm;
  const hash = createBodyHash(to.threads, algorithm);
  try {
    return await receive(measure(source, demands, hash), to.blobs, algorithm);
  } finally {
    hash.close();
  }
}

interface Measured {
  readonly bytes: AsyncGenerator<Buffer, undefined>;
  /** To be asked at the end of the bytes, which have passed every check then. */
  result(): { readonly size: number; readonly digests: Digests };
}

async function receive(
  { bytes, result }: Measured,
  blobs: BlobStore,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<NewBytes> {
  const head: Buffer[] = [];
  let headBytes = 0;
  while (headBytes <= MAX_INLINE_OBJECT_BYTES) {
    const { value, done } = await bytes.next();
    if (done) {
      const id = randomBytes(16).toString('hex');
      return newBytes(result(), algorithm, { id, isInline: true }, Buffer.concat(head));
    }
    head.push(value);
    headBytes += value.length;
  }
  try {
    const { id } = await blobs.put(continued(head, bytes));
    return newBytes(result(), algorithm, { id, isInline: false }, NO_BYTES);
  } catch (error) {
    // The store may have failed before it read that far: who keeps a request's iterator keeps its connection.
    bytes.return(undefined).catch(() => {});
    throw error;
  }
}

function newBytes(
  { size, digests }: ReturnType<Measured['result']>,
  algorithm: ChecksumAlgorithm | undefined,
  place: Piece,
  inline: Buffer,
): NewBytes {
  const { md5: etag, checksum: value } = digests;
  const checksum = algorithm && value !== undefined ? { algorithm, value } : undefined;
  return { etag, size, checksum, place, checks: [], mutations: [putBytes(place, inline)] };
}

async function* continued(head: Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* head.splice(0);
  yield* rest;
}

function measure(source: AsyncIterable<Buffer>, demands: ByteDemands, hash: BodyHash): Measured {
  const { ranges, expected, trailer } = demands;
  let size = 0;
  let digests: Digests | undefined;

  async function* bytes(): AsyncGenerator<Buffer, undefined> {
    for await (const chunk of source) {
      size += chunk.length;
      checkSizeSoFar(ranges, size);
      const waiting = hash.update(chunk);
      if (waiting) await waiting;
      yield chunk;
    }
    checkSize(ranges, size);
    digests = await hash.digest();
    const { md5, checksum } = digests;
    const calculated = { md5: Buffer.from(md5, 'hex').toString('base64'), checksum };
    checkChecksums(expected, calculated);
    if (trailer) checkChecksums(trailer(), calculated);
  }

  return {
    bytes: bytes(),
    result() {
      if (!digests) throw new Error('The bytes have not been read to their end.');
      return { size, digests };
    },
  };
}

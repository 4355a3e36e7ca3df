import type { Readable } from 'node:stream';
import type { ByteRange } from '../s3/byte-range.ts';

/**
 * The byte-stream contract: bytes under names of the store's own, never made from keys. A blob is
 * visible to nobody until a commit of the KvStore names it; what no entry names is swept at start.
 */
export interface BlobStore {
  /**
   * Resolves once every byte is on disk, under a new name, or under that of a blob of another store, 32
   * hexadecimal digits. Rejects with what the source threw, or a `KeystowError` (`unavailable`,
   * `disk-full`); then nothing is left behind.
   */
  put(source: AsyncIterable<Buffer>, id?: string): Promise<StoredBlob>;

  /**
   * The bytes from `start` to `end`, both included. Rejects with `BlobMissing`, or `BlobDamaged` where
   * the blob ends before.
   */
  get(id: string, range: ByteRange): Promise<Readable>;

  /** Whether there is no blob at all, nor a part of one. */
  isEmpty(): Promise<boolean>;

  /** Removes the blob; readers that have it open still read it whole. None there: no error. */
  delete(id: string): Promise<void>;

  /**
   * Removes what a crash left: every blob that nothing refers to. `referencedIds` tells which ids
   * with a prefix are referred to. Resolves with the number of what was removed.
   */
  sweep(referencedIds: (prefix: string) => Promise<ReadonlySet<string>>): Promise<number>;
}

/** A blob store that clients can upload to without this server in between. */
export interface DirectBlobStore extends BlobStore {
  /** A form that makes one upload the blob `id`, until a time and within a size. */
  form(id: string, upload: DirectUpload): Promise<DirectForm>;
  /** What has arrived; undefined while nothing has. The ETag is its MD5 in hex where it is one. */
  stat(id: string): Promise<{ readonly size: number; readonly etag: string } | undefined>;
}

export interface DirectUpload {
  /** Further fields, which have to be just so. */
  readonly fields: Readonly<Record<string, string>>;
  /** In bytes, both included. */
  readonly range: { readonly min: number; readonly max: number };
  readonly seconds: number;
}

export interface DirectForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface StoredBlob {
  readonly id: string;
  readonly size: number;
}

/** The blob lost its end: the disk or the file system changed it. */
export class BlobDamaged extends Error {
  override readonly name = 'BlobDamaged';

  constructor(id: string, size: number) {
    super(`The blob ${id} is damaged: it has ${size} bytes left.`);
  }
}

/** There is no blob of that name (any more). */
export class BlobMissing extends Error {
  override readonly name = 'BlobMissing';

  constructor(id: string) {
    super(`There is no blob ${id}.`);
  }
}

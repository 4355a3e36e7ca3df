import { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { MAX_INLINE_OBJECT_BYTES } from '../../shared/limits.ts';
import type { ByteRange } from '../s3/byte-range.ts';
import { BlobMissing, type BlobStore } from '../stores/blob-store.ts';
import { CommitConflict, type KvMutation, type KvStore } from '../stores/kv-store.ts';
import {
  BYTES_PREFIX,
  type BytesPlace,
  deleteBytes,
  eachPart,
  hasPart,
  type NewBytes,
  type PartNumbers,
  type PartsPlace,
  type Piece,
  type StoredChecksum,
} from './byte-places.ts';
import type { HashThreads } from './hash-threads.ts';
import {
  DISCARDED_PREFIX,
  decodeDiscarded,
  discardParts,
  type Part,
  partKey,
  readParts,
} from './part-records.ts';
import { createReaders } from './readers.ts';
import { type ByteDemands, receiveBytes } from './receive-bytes.ts';
import { receiveWhole } from './receive-whole.ts';

/** The bytes of objects: received, read, and removed once they are nobody's. */
export interface ObjectBytes {
  /** As receiveBytes. */
  receive(source: AsyncIterable<Buffer> | Buffer, demands: ByteDemands): Promise<NewBytes>;
  /** Undefined where the bytes are gone. */
  read(place: BytesPlace, range: ByteRange): Promise<Readable | Buffer | undefined>;
  /**
   * Where a part lies in the bytes, which count as one part where they are one piece. Undefined where
   * they have none of the number.
   */
  part(place: BytesPlace, size: number, number: number): Promise<PartPlace | 'gone' | undefined>;
  /** What a commit that makes the bytes nobody's has to write; then comes `drop`. */
  release(place: BytesPlace): KvMutation[];
  /**
   * Removes released bytes, or received ones that no commit has named. Never rejects. The request that
   * they were released for is named in the log, as below.
   */
  drop(place: BytesPlace, requestId?: string): Promise<void>;
  /** Removes what is discarded of an upload's parts, once nobody reads it. Never rejects. */
  clearParts(uploadId: string, requestId?: string): Promise<void>;
  /** The same for all uploads. */
  clearDiscarded(): Promise<void>;
  /** Removes bytes that no object has, which a crash left. To be called before anything is received. */
  sweep(): Promise<number>;
}

export interface PartPlace {
  readonly start: number;
  readonly size: number;
  /** Of the part, where one was sent or asked for. */
  readonly checksum?: StoredChecksum | undefined;
}

/** Parts that are read, or removed, at a time. */
const PARTS_AT_A_TIME = 500;

export function createObjectBytes(options: {
  readonly store: KvStore;
  readonly blobs: BlobStore;
  readonly threads: HashThreads;
  readonly log: Logger;
  readonly now: () => number;
  /** How long the parts of a deleted object stay for readers on other nodes, in milliseconds. */
  readonly graceMs: number;
}): ObjectBytes {
  const { store, blobs, threads, log, now, graceMs } = options;
  const readers = createReaders();

  async function readPiece(piece: Piece, range: ByteRange): Promise<Readable | Buffer | undefined> {
    if (piece.isInline) {
      const entry = await store.get(BYTES_PREFIX + piece.id);
      return entry?.value.subarray(range.start, range.end + 1);
    }
    return blobs.get(piece.id, range).catch((error) => {
      if (error instanceof BlobMissing) return undefined;
      throw error;
    });
  }

  /** The parts stay while they are read: a reader gets the object whole, even one that is deleted. */
  async function openParts(place: PartsPlace, range: ByteRange): Promise<Readable | undefined> {
    const close = readers.open(place.uploadId);
    const isThere = await hasParts(place).catch((error) => {
      close();
      throw error;
    });
    if (!isThere) {
      close();
      return undefined;
    }
    const stream = Readable.from(partBytes(place, range), { objectMode: false });
    return stream.once('close', close);
  }

  async function hasParts({ uploadId }: PartsPlace): Promise<boolean> {
    const marker = await store.get(DISCARDED_PREFIX + uploadId);
    if (marker && decodeDiscarded(marker).kept.length === 0) return false;
    return (await readParts(store, uploadId, 0, 1)).length > 0;
  }

  async function* partBytes(place: PartsPlace, range: ByteRange): AsyncGenerator<Buffer> {
    let offset = 0;
    for await (const { number, size, bytes } of partsOf(place)) {
      const start = Math.max(range.start - offset, 0);
      const end = Math.min(range.end - offset, size - 1);
      if (start <= end) {
        const piece = await readPiece(bytes, { start, end });
        if (!piece)
          throw new Error(`The bytes of part ${number} of ${place.uploadId} are missing.`);
        if (Buffer.isBuffer(piece)) yield piece;
        else yield* piece;
      }
      offset += size;
      if (offset > range.end) return;
    }
  }

  /** Throws where one is missing, or damaged: what follows would be taken for its bytes. */
  async function* partsOf({ uploadId, numbers }: PartsPlace): AsyncGenerator<Part> {
    const expected = eachPart(numbers);
    const check = (found: number | undefined): void => {
      const { value: number } = expected.next();
      if (found !== number) throw new Error(`Part ${number} of ${uploadId} is missing or damaged.`);
    };
    for await (const page of partPages(uploadId)) {
      for (const part of page) {
        if (!hasPart(numbers, part.number)) continue;
        check(part.number);
        yield part;
      }
    }
    check(undefined);
  }

  async function findPart(place: PartsPlace, number: number): Promise<PartPlace | undefined> {
    let start = 0;
    for await (const part of partsOf(place)) {
      if (part.number === number) return { start, size: part.size, checksum: part.checksum };
      start += part.size;
    }
    return undefined;
  }

  async function* partPages(uploadId: string): AsyncGenerator<Part[]> {
    let after = 0;
    for (;;) {
      const page = await readParts(store, uploadId, after, PARTS_AT_A_TIME);
      const last = page.at(-1);
      if (!last) return;
      yield page;
      after = last.number;
    }
  }

  /** An object may go while the parts that it does not have are being removed: then all go. */
  async function removeDiscarded(uploadId: string): Promise<void> {
    const key = DISCARDED_PREFIX + uploadId;
    for (;;) {
      const marker = await store.get(key);
      if (!marker) return;
      const { kept, since } = decodeDiscarded(marker);
      if (kept.length === 0) {
        if (now() - since < graceMs) return;
        await readers.none(uploadId);
      }
      await removeParts(uploadId, kept);
      try {
        await store.commit([{ key, version: marker.version }], [{ type: 'delete', key }]);
        return;
      } catch (error) {
        if (!(error instanceof CommitConflict)) throw error;
      }
    }
  }

  async function removeParts(uploadId: string, kept: PartNumbers): Promise<void> {
    for await (const page of partPages(uploadId)) {
      const gone = page.filter(({ number }) => !hasPart(kept, number));
      if (gone.length === 0) continue;
      const mutations = gone.flatMap(({ number, bytes }): KvMutation[] => [
        { type: 'delete', key: partKey(uploadId, number) },
        deleteBytes(bytes),
      ]);
      await store.commit([], mutations);
      for (const { bytes } of gone) if (!bytes.isInline) await blobs.delete(bytes.id);
    }
  }

  function clearParts(uploadId: string, requestId?: string): Promise<void> {
    return orTell(removeDiscarded(uploadId), requestId);
  }

  /** What is left is removed later. */
  async function orTell(work: Promise<void>, requestId: string | undefined): Promise<void> {
    await work.catch((error) =>
      log.warn({ id: requestId, err: error }, "bytes that are nobody's were not removed"),
    );
  }

  async function clearDiscarded(): Promise<void> {
    for await (const page of store.keys({ prefix: DISCARDED_PREFIX })) {
      // A slow reader of one keeps nobody else's.
      await Promise.all(page.map((key) => clearParts(key.slice(DISCARDED_PREFIX.length))));
    }
  }

  return {
    async receive(source, demands) {
      const bytes = { blobs, threads };
      if (!Buffer.isBuffer(source)) return receiveBytes(source, demands, bytes);
      return source.length > MAX_INLINE_OBJECT_BYTES
        ? receiveBytes(single(source), demands, bytes)
        : receiveWhole(source, demands);
    },

    read: (place, range) =>
      'uploadId' in place ? openParts(place, range) : readPiece(place, range),

    async part(place, size, number) {
      if (!('uploadId' in place)) return number === 1 ? { start: 0, size } : undefined;
      if (!hasPart(place.numbers, number)) return undefined;
      const close = readers.open(place.uploadId);
      try {
        return (await hasParts(place)) ? await findPart(place, number) : 'gone';
      } finally {
        close();
      }
    },

    release: (place) =>
      'uploadId' in place
        ? [discardParts(place.uploadId, { kept: [], since: now() })]
        : [deleteBytes(place)],

    async drop(place, requestId) {
      if ('uploadId' in place) await clearParts(place.uploadId, requestId);
      else if (!place.isInline) await orTell(blobs.delete(place.id), requestId);
    },

    clearParts,
    clearDiscarded,

    sweep() {
      return blobs.sweep(async (prefix) => {
        const ids = new Set<string>();
        for await (const page of store.keys({ prefix: BYTES_PREFIX + prefix })) {
          for (const key of page) ids.add(key.slice(BYTES_PREFIX.length));
        }
        return ids;
      });
    },
  };
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

import type { ObjectBytes } from '../services/object-bytes.ts';

/** Bytes of objects and of parts, as they are received. */
export interface UploadCounts {
  /** The same, counted. */
  count(objectBytes: ObjectBytes): ObjectBytes;
  readonly underWay: number;
  readonly received: number;
  /** Broken off, refused, or not stored. */
  readonly failed: number;
  /** Of what was received whole. */
  readonly bytes: number;
}

export function createUploadCounts(): UploadCounts {
  const counts = { underWay: 0, received: 0, failed: 0, bytes: 0 };

  async function receive(work: ReturnType<ObjectBytes['receive']>): typeof work {
    counts.underWay += 1;
    try {
      const received = await work;
      counts.received += 1;
      counts.bytes += received.size;
      return received;
    } catch (error) {
      counts.failed += 1;
      throw error;
    } finally {
      counts.underWay -= 1;
    }
  }

  return Object.assign(counts, {
    count: (objectBytes: ObjectBytes): ObjectBytes => ({
      ...objectBytes,
      receive: (source, demands) => receive(objectBytes.receive(source, demands)),
    }),
  });
}

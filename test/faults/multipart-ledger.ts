import { createHash } from 'node:crypto';
import { md5Of } from './upload-client.ts';

/**
 * What clients of uploads in parts were told: the uploads that they began and what came of them. A key
 * has one client, which does one thing at a time.
 */

export interface PartState {
  readonly md5: string;
  readonly size: number;
}

/** An object by its parts: one in one piece has one. */
export interface PartsState {
  readonly etag: string;
  readonly parts: readonly PartState[];
}

export interface OpenUpload {
  readonly key: string;
  readonly id: string;
  readonly parts: ReadonlyMap<number, PartState>;
}

/** What was sent, and had no answer yet. */
export type PendingCall =
  | { readonly kind: 'begin' }
  | {
      readonly kind: 'part';
      readonly id: string;
      readonly number: number;
      readonly part: PartState;
    }
  | { readonly kind: 'complete'; readonly id: string; readonly object: PartsState }
  | { readonly kind: 'abort'; readonly id: string }
  | { readonly kind: 'delete' };

export interface MultipartLedger {
  /** Null: there is no object. */
  readonly objects: ReadonlyMap<string, PartsState | null>;
  readonly uploads: ReadonlyMap<string, OpenUpload>;
  readonly pending: ReadonlyMap<string, PendingCall>;
  /** What was wrong with the answers themselves. */
  readonly problems: readonly string[];
  /** By kind of call. */
  readonly acknowledged: Readonly<Record<PendingCall['kind'], number>>;
  begin(key: string, call: PendingCall): void;
  /** A 2xx answer to what was begun last for the key; `id` is that of a new upload. */
  acknowledge(key: string, id?: string): void;
  /** An answer that no correct server gives to this workload. */
  reject(key: string, problem: string): void;
  /** Takes over what a restarted server has. */
  adopt(uploads: Iterable<OpenUpload>, objects: ReadonlyMap<string, PartsState | null>): void;
}

export function createMultipartLedger(): MultipartLedger {
  let objects = new Map<string, PartsState | null>();
  let uploads = new Map<string, OpenUpload>();
  const pending = new Map<string, PendingCall>();
  const problems: string[] = [];
  const acknowledged = { begin: 0, part: 0, complete: 0, abort: 0, delete: 0 };
  return {
    get objects() {
      return objects;
    },
    get uploads() {
      return uploads;
    },
    pending,
    problems,
    acknowledged,
    begin: (key, call) => void pending.set(key, call),
    acknowledge(key, id) {
      const call = pending.get(key);
      if (!call) throw new Error(`Nothing was begun for ${key}.`);
      pending.delete(key);
      acknowledged[call.kind] += 1;
      if (call.kind === 'begin' && id) uploads.set(id, { key, id, parts: new Map() });
      else if (call.kind === 'part') {
        const parts = new Map(uploads.get(call.id)?.parts).set(call.number, call.part);
        uploads.set(call.id, { key, id: call.id, parts });
      } else if (call.kind === 'complete') {
        uploads.delete(call.id);
        objects.set(key, call.object);
      } else if (call.kind === 'abort') uploads.delete(call.id);
      else if (call.kind === 'delete') objects.set(key, null);
    },
    reject: (key, problem) => void problems.push(`${key}: ${problem}`),
    adopt(found, states) {
      uploads = new Map([...found].map((upload) => [upload.id, upload]));
      objects = new Map(states);
      pending.clear();
    },
  };
}

export function partState(bytes: Buffer): PartState {
  return { md5: md5Of(bytes), size: bytes.length };
}

/** With the ETag that S3 gives an object of these parts. */
export function partsState(parts: readonly PartState[]): PartsState {
  const hash = createHash('md5');
  for (const { md5 } of parts) hash.update(Buffer.from(md5, 'hex'));
  return { etag: `${hash.digest('hex')}-${parts.length}`, parts };
}

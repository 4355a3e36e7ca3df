import { setImmediate } from 'node:timers/promises';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_BATCH_BYTES } from '../../shared/limits.ts';
import type { KvMutation, KvStore } from '../stores/kv-store.ts';
import { commitAs } from './caller.ts';
import {
  applyChange,
  checkChange,
  DATA_PREFIX,
  type DocumentChange,
  etagOf,
  readStored,
  type Stored,
  tooBusy,
} from './document-changes.ts';
import type { Principal } from './grants.ts';
import type { KeyLock } from './key-lock.ts';

/** Several documents changed at once: all of it in one commit, or nothing. */

export interface Changed {
  /** Null for what was removed. */
  readonly text: Buffer | null;
  /** The number of the write, in quotes. */
  readonly etag: string;
  /** Whether the document was not there before. */
  readonly isNew: boolean;
}

/** A change, or why it cannot be one. */
export type BatchMember = DocumentChange | KeystowError;

export type BatchOutcome =
  | { readonly changed: readonly Changed[] }
  /** By the place in the batch; nothing was stored. */
  | { readonly failed: ReadonlyMap<number, KeystowError> };

export interface Batches {
  /**
   * Changes of different documents, with consecutive numbers in their order. Each fails as it would alone;
   * the batch rejects with `too-large` where its documents were larger than 16 MiB in all, with `unavailable`,
   * `disk-full`, or `unauthenticated` for a principal who was changed meanwhile.
   */
  commit(by: Principal, members: readonly BatchMember[]): Promise<BatchOutcome>;
}

/** Each lost attempt means that another node wrote one of the documents. */
const MAX_ATTEMPTS = 100;
/** Documents that are read at a time: they may be large. */
const READ_AT_A_TIME = 16;

/** Text of members that is parsed before others get their turn. */
const PARSED_AT_A_TIME_BYTES = 1_048_576;

interface Plan {
  readonly change: DocumentChange;
  readonly before: Stored['version'];
  readonly text: Buffer | null;
}

/** `withLock` is the one of single requests. */
export function createBatches(
  store: KvStore,
  limits: { maxDocumentBytes: number },
  withLock: KeyLock,
): Batches {
  /** What each change comes to, if nobody writes until then. */
  async function plan(members: readonly BatchMember[]) {
    const plans: Plan[] = [];
    const failed = new Map<number, KeystowError>();
    let bytes = 0;
    for (let at = 0; at < members.length; at += READ_AT_A_TIME) {
      const read = members.slice(at, at + READ_AT_A_TIME).map(async (member) => {
        if (member instanceof KeystowError) throw member;
        return { change: member, before: await readStored(store, member) };
      });
      for (const [index, outcome] of (await Promise.allSettled(read)).entries()) {
        failing(failed, at + index, () => {
          if (outcome.status === 'rejected') throw outcome.reason;
          const { change, before } = outcome.value;
          const text = applyChange(change, before, limits.maxDocumentBytes);
          plans.push({ change, before: before.version, text });
          bytes += text?.byteLength ?? 0;
        });
      }
      if (bytes > MAX_BATCH_BYTES) throw tooLarge();
    }
    return { plans, failed };
  }

  /** Null where one of the documents was written meanwhile. */
  async function attempt(
    by: Principal,
    members: readonly BatchMember[],
  ): Promise<BatchOutcome | null> {
    const { plans, failed } = await plan(members);
    if (failed.size > 0) return { failed };
    const checks = plans.map(({ change, before }) => ({
      key: DATA_PREFIX + change.key,
      version: before,
    }));
    const first = await commitAs(store, { principal: by }, checks, plans.map(toMutation));
    if (typeof first !== 'number') return null;
    return {
      changed: plans.map(({ text, before }, index) => ({
        text,
        etag: etagOf(first + index),
        isNew: before === null,
      })),
    };
  }

  return {
    async commit(by, members) {
      if (members.length === 0) return { changed: [] };
      const checked = await checkMembers(by, members);
      const keys = checked.flatMap((member) => (member instanceof KeystowError ? [] : member.key));
      return withLock.all(keys, async () => {
        for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
          const outcome = await attempt(by, checked);
          if (outcome) return outcome;
        }
        throw tooBusy('Documents of this batch are');
      });
    },
  };
}

/** Those that may not be, whatever is stored, become their errors. */
async function checkMembers(
  by: Principal,
  members: readonly BatchMember[],
): Promise<BatchMember[]> {
  const checked: BatchMember[] = [];
  let bytes = 0;
  for (const member of members) {
    checked.push(refusalOf(by, member) ?? member);
    bytes += 'body' in member ? member.body.byteLength : 0;
    if (bytes < PARSED_AT_A_TIME_BYTES) continue;
    bytes = 0;
    await setImmediate();
  }
  return checked;
}

function refusalOf(by: Principal, member: BatchMember): KeystowError | undefined {
  if (member instanceof KeystowError) return member;
  try {
    checkChange(by, member);
    return undefined;
  } catch (error) {
    if (error instanceof KeystowError) return error;
    throw error;
  }
}

/** Keeps what the client is told of a failure under its place; anything else is thrown on. */
function failing(failures: Map<number, KeystowError>, index: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof KeystowError)) throw error;
    failures.set(index, error);
  }
}

function toMutation({ change, text }: Plan): KvMutation {
  const key = DATA_PREFIX + change.key;
  return text === null ? { type: 'delete', key } : { type: 'put', key, value: text };
}

function tooLarge(): KeystowError {
  return new KeystowError(
    'too-large',
    `The documents of the batch would have more than ${MAX_BATCH_BYTES} bytes: send several batches.`,
  );
}

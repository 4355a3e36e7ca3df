import type { KvCheck, KvEntry, KvMutation, KvStore } from '../stores/kv-store.ts';
import { commitAs } from './caller.ts';
import {
  alreadyExists,
  applyChange,
  checkChange,
  DATA_PREFIX,
  type DocumentChange,
  etagOf,
  notFound,
  type PatchFormat,
  readStored,
  type Stored,
  tooBusy,
} from './document-changes.ts';
import { checkDocumentKey } from './document-text.ts';
import { checkAllowed, type Principal, readablePrefixes } from './grants.ts';
import { createKeyLock, type KeyLock } from './key-lock.ts';
import type { Preconditions } from './preconditions.ts';

/** JSON documents by key: the rules of `/data`. */

export interface Document {
  readonly key: string;
  /** The text as it was sent. */
  readonly text: Buffer;
  /** The number of the last write, in quotes. */
  readonly etag: string;
}

export interface DocumentRange {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number | undefined;
}

export interface Documents {
  /** An empty body means `{}`. */
  create(by: Principal, key: string, body: Buffer, pre: Preconditions): Promise<Document>;
  get(by: Principal, key: string): Promise<Document>;
  replace(
    by: Principal,
    key: string,
    body: Buffer,
    pre: Preconditions,
  ): Promise<Document & { isNew: boolean }>;
  patch(
    by: Principal,
    key: string,
    format: PatchFormat,
    body: Buffer,
    pre: Preconditions,
  ): Promise<Document>;
  remove(by: Principal, key: string, pre: Preconditions): Promise<void>;
  /** What the principal may read, in byte order, in pages. */
  keys(by: Principal, range: DocumentRange): AsyncIterable<string[]>;
  list(by: Principal, range: DocumentRange): AsyncIterable<Document[]>;
  /** Writes up to this number are in every list that begins after this call. */
  revision(): Promise<number>;
}

const ABSENT: Stored = { version: null };
const NO_TEXT = Buffer.alloc(0);
/** A bound for the attempts of one write; each lost one means that another write went through. */
const MAX_ATTEMPTS = 100;

/** Whoever else writes documents takes the same lock. */
export function createDocuments(
  store: KvStore,
  limits: { maxDocumentBytes: number },
  withLock: KeyLock = createKeyLock(),
): Documents {
  /** Undefined where the document was written meanwhile. */
  function commit(
    by: Principal,
    key: string,
    version: KvCheck['version'],
    text: Buffer | null,
  ): Promise<Document | undefined> {
    const stored = DATA_PREFIX + key;
    const mutation: KvMutation =
      text === null ? { type: 'delete', key: stored } : { type: 'put', key: stored, value: text };
    return commitAs(store, { principal: by }, [{ key: stored, version }], [mutation]).then(
      (outcome) =>
        typeof outcome === 'number'
          ? { key, text: text ?? NO_TEXT, etag: etagOf(outcome) }
          : undefined,
    );
  }

  /** Reads, decides and writes what was decided, until nobody else wrote in between. */
  function update(
    by: Principal,
    change: DocumentChange,
  ): Promise<{ before: Stored; document: Document }> {
    checkChange(by, change);
    return withLock(change.key, async () => {
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
        const before = await readStored(store, change);
        const text = applyChange(change, before, limits.maxDocumentBytes);
        const document = await commit(by, change.key, before.version, text);
        if (document) return { before, document };
      }
      throw tooBusy(`${change.key} is`);
    });
  }

  return {
    async create(by, key, body, pre) {
      const change = { type: 'create', key, body, pre } as const;
      checkChange(by, change);
      // Mostly it is absent, and the commit looks itself: a document is read only for an If-Match.
      const before = pre.ifMatch === undefined ? ABSENT : await readStored(store, change);
      const text = applyChange(change, before, limits.maxDocumentBytes);
      const created = await commit(by, key, null, text);
      if (!created) throw alreadyExists(key);
      return created;
    },

    async get(by, key) {
      checkDocumentKey(key);
      checkAllowed(by, 'read', DATA_PREFIX + key);
      return store.get(DATA_PREFIX + key).then((entry) => {
        if (!entry) throw notFound(key);
        return toDocument(entry);
      });
    },

    async replace(by, key, body, pre) {
      const { before, document } = await update(by, { type: 'replace', key, body, pre });
      return { ...document, isNew: before.version === null };
    },

    async patch(by, key, format, body, pre) {
      return (await update(by, { type: 'patch', key, format, body, pre })).document;
    },

    async remove(by, key, pre) {
      await update(by, { type: 'remove', key, pre });
    },

    async *keys(by, { prefix, after, limit }) {
      let left = limit;
      for (const readable of readablePrefixes(by, DATA_PREFIX + prefix)) {
        if (left === 0) return;
        for await (const page of store.keys(rangeOf(readable, after, left))) {
          yield page.map((key) => key.slice(DATA_PREFIX.length));
          if (left !== undefined) left -= page.length;
        }
      }
    },

    async *list(by, { prefix, after, limit }) {
      let left = limit;
      for (const readable of readablePrefixes(by, DATA_PREFIX + prefix)) {
        if (left === 0) return;
        for await (const page of store.range(rangeOf(readable, after, left))) {
          yield page.map(toDocument);
          if (left !== undefined) left -= page.length;
        }
      }
    },

    revision: () => store.sequence(),
  };
}

function rangeOf(prefix: string, after: string | undefined, limit: number | undefined) {
  return { prefix, after: after === undefined ? undefined : DATA_PREFIX + after, limit };
}

function toDocument(entry: KvEntry): Document {
  return {
    key: entry.key.slice(DATA_PREFIX.length),
    text: entry.value,
    etag: etagOf(entry.version),
  };
}

import { KeystowError } from '../../shared/errors.ts';
import { MAX_DOCUMENT_DEPTH } from '../../shared/limits.ts';
import { applyJsonPatch } from '../json/json-patch.ts';
import { type JsonNode, parseLossless, stringifyLossless } from '../json/lossless.ts';
import { mergePatch, setMembers } from '../json/merge-patch.ts';
import {
  DamagedEntry,
  type KvCheck,
  type KvEntry,
  type KvMutation,
  type KvStore,
} from '../stores/kv-store.ts';
import { commitAs } from './caller.ts';
import { checkDocumentKey, parseDocumentText, parseJsonText } from './document-text.ts';
import { checkAllowed, type Principal, readablePrefixes } from './grants.ts';
import { createKeyLock } from './key-lock.ts';
import { isMatch, isNoneMatch, type Preconditions, wantsAbsence } from './preconditions.ts';

/** JSON documents by key: the rules of `/data`. */

export interface Document {
  readonly key: string;
  /** The text as it was sent. */
  readonly text: Buffer;
  /** The number of the last write, in quotes. */
  readonly etag: string;
}

export type PatchFormat = 'members' | 'merge-patch' | 'json-patch';

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

/** Documents of `data/KEY` lie in the store under just that key: grants and changes name it so too. */
const DATA_PREFIX = 'data/';
const EMPTY = Buffer.from('{}');
/** The values of a JSON Patch stand inside its array and their operations. */
const MAX_PATCH_DEPTH = MAX_DOCUMENT_DEPTH + 2;
/** A bound for the attempts of one write; each lost one means that another write went through. */
const MAX_ATTEMPTS = 100;

export function createDocuments(store: KvStore, limits: { maxDocumentBytes: number }): Documents {
  const withLock = createKeyLock();

  /** Null where a check but the principal's failed: the document was written meanwhile. */
  async function commit(
    by: Principal,
    version: KvCheck['version'],
    mutation: KvMutation,
  ): Promise<number | null> {
    const check = { key: mutation.key, version };
    const outcome = await commitAs(store, { principal: by }, [check], [mutation]);
    return typeof outcome === 'number' ? outcome : null;
  }

  /** A damaged document exists, with no ETag: it can be replaced and deleted. */
  async function readVersion(key: string): Promise<KvCheck['version']> {
    try {
      return (await store.get(DATA_PREFIX + key))?.version ?? null;
    } catch (error) {
      if (error instanceof DamagedEntry) return 'damaged';
      throw error;
    }
  }

  /** Reads, decides and writes what was decided, until nobody else wrote in between. */
  function update<T, State>(
    key: string,
    read: () => Promise<State>,
    attempt: (current: State) => Promise<T | null>,
  ): Promise<T> {
    return withLock(key, async () => {
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
        const result = await attempt(await read());
        if (result !== null) return result;
      }
      throw new KeystowError('unavailable', `${key} is written too often: try again.`, {
        headers: { 'Retry-After': '1' },
      });
    });
  }

  async function put(
    by: Principal,
    key: string,
    version: KvCheck['version'],
    text: Buffer,
  ): Promise<Document | null> {
    const mutation = { type: 'put', key: DATA_PREFIX + key, value: text } as const;
    const sequence = await commit(by, version, mutation);
    return sequence === null ? null : { key, text, etag: etagOf(sequence) };
  }

  return {
    async create(by, key, body, pre) {
      checkDocumentKey(key);
      checkAllowed(by, 'write', DATA_PREFIX + key);
      if (body.byteLength > 0) parseDocumentText(body);
      if (pre.ifMatch !== undefined && (await store.get(DATA_PREFIX + key)) === undefined) {
        throw new KeystowError('precondition-failed', `${key} does not exist, so no ETag matches.`);
      }
      const created = await put(by, key, null, body.byteLength > 0 ? body : EMPTY);
      if (created === null) throw new KeystowError('already-exists', `${key} already exists.`);
      return created;
    },

    async get(by, key) {
      checkDocumentKey(key);
      checkAllowed(by, 'read', DATA_PREFIX + key);
      const entry = await store.get(DATA_PREFIX + key);
      if (!entry) throw notFound(key);
      return toDocument(entry);
    },

    async replace(by, key, body, pre) {
      checkDocumentKey(key);
      checkAllowed(by, 'write', DATA_PREFIX + key);
      parseDocumentText(body);
      return update(
        key,
        () => readVersion(key),
        async (version) => {
          if (version === null && !wantsAbsence(pre)) throw notFound(key);
          checkPreconditions(key, version, pre);
          const document = await put(by, key, version, body);
          return document && { ...document, isNew: version === null };
        },
      );
    },

    async patch(by, key, format, body, pre) {
      checkDocumentKey(key);
      checkAllowed(by, 'write', DATA_PREFIX + key);
      const patchText = parseJsonText(body, MAX_PATCH_DEPTH).text;
      const read = () => store.get(DATA_PREFIX + key);
      return update(key, read, async (current) => {
        if (!current) throw notFound(key);
        checkPreconditions(key, current.version, pre);
        const text = patched(key, current.value, format, patchText, limits.maxDocumentBytes);
        return put(by, key, current.version, Buffer.from(text));
      });
    },

    async remove(by, key, pre) {
      checkDocumentKey(key);
      checkAllowed(by, 'write', DATA_PREFIX + key);
      await update(
        key,
        () => readVersion(key),
        async (version) => {
          if (version === null) throw notFound(key);
          checkPreconditions(key, version, pre);
          return commit(by, version, { type: 'delete', key: DATA_PREFIX + key });
        },
      );
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

function etagOf(version: number | 'damaged'): string {
  return `"${version}"`;
}

function notFound(key: string): KeystowError {
  return new KeystowError('not-found', `${key} not found.`);
}

function checkPreconditions(key: string, version: KvCheck['version'], pre: Preconditions): void {
  const etag = version === null ? undefined : etagOf(version);
  if (isMatch(pre, etag) && isNoneMatch(pre, etag)) return;
  throw new KeystowError(
    'precondition-failed',
    etag
      ? `${key} has the ETag ${etag} now: read it again and decide anew.`
      : `${key} does not exist, so no ETag matches.`,
    etag ? { headers: { ETag: etag } } : {},
  );
}

/** The text of the document with the patch applied. */
function patched(
  key: string,
  text: Buffer,
  format: PatchFormat,
  patchText: string,
  maxBytes: number,
): string {
  const patch = parseLossless(patchText, MAX_PATCH_DEPTH);
  const document = parseLossless(text.toString());
  const result = applyPatch(key, document, format, patch, maxBytes);
  if (typeof result === 'string') {
    throw new KeystowError(
      'bad-request',
      `The patch would leave ${key} without an object or array: that is no document.`,
    );
  }
  return stringifyLossless(result, maxBytes);
}

function applyPatch(
  key: string,
  document: JsonNode,
  format: PatchFormat,
  patch: JsonNode,
  maxBytes: number,
): JsonNode {
  if (format === 'json-patch') return applyJsonPatch(document, patch, maxBytes);
  if (format === 'merge-patch') return mergePatch(document, patch);
  if (!(patch instanceof Map)) {
    throw new KeystowError(
      'bad-request',
      'A PATCH with application/json is an object of the members to set.',
    );
  }
  if (!(document instanceof Map)) {
    throw new KeystowError(
      'conflict',
      `${key} holds an array, which has no members to set: send a JSON Patch.`,
    );
  }
  setMembers(document, patch);
  return document;
}

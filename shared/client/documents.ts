import { type BatchChange, type BatchResult, sendBatch } from './batch.ts';
import { KeystowClientError } from './client-error.ts';
import type { Codec } from './codec.ts';
import type { HttpTransport } from './http-transport.ts';
import { type Patch, patchBody, preconditions } from './patch.ts';
import { documentPath, withQuery } from './paths.ts';
import type { Requests } from './requests.ts';
import { textLines } from './text-lines.ts';
import { type ClientAnswer, jsonOf, refusalOf } from './transport.ts';

export interface StoredDocument<Value> {
  readonly key: string;
  /** In quotes, as `ifMatch` takes it. */
  readonly etag: string;
  readonly value: Value;
}

export interface CallOptions {
  /** Ends the call with the signal's reason. A write may have been done all the same. */
  readonly signal?: AbortSignal | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Only if the document still has this ETag; else the call rejects with `precondition-failed`. */
  readonly ifMatch?: string | undefined;
}

export interface KeyRange extends CallOptions {
  readonly prefix?: string;
  /** Only what comes behind this key, in byte order. */
  readonly after?: string;
}

export interface KeyPages extends KeyRange {
  /** 1 to 10,000 keys; 1,000 unless told. */
  readonly pageSize?: number;
}

/** JSON documents, as values of one kind. All calls reject with a KeystowClientError. */
export interface Documents<Value> {
  /** Rejects with `already-exists`. Without a value it is `{}`. */
  create(key: string, value?: Value, options?: CallOptions): Promise<StoredDocument<Value>>;
  /** Rejects with `not-found`. */
  get(key: string, options?: CallOptions): Promise<StoredDocument<Value>>;
  /** Undefined while the document still has this ETag. Rejects with `not-found`. */
  getIfChanged(
    key: string,
    etag: string,
    options?: CallOptions,
  ): Promise<StoredDocument<Value> | undefined>;
  /** Rejects with `not-found`, `precondition-failed`. */
  replace(key: string, value: Value, options?: WriteOptions): Promise<StoredDocument<Value>>;
  /** Rejects with `not-found`, `precondition-failed`, `conflict` where an operation fails. */
  patch(key: string, patch: Patch, options?: WriteOptions): Promise<StoredDocument<Value>>;
  /** Rejects with `not-found`, `precondition-failed`. */
  delete(key: string, options?: WriteOptions): Promise<void>;
  /** The keys that the user may read, in byte order, page by page. */
  keys(options?: KeyPages): AsyncGenerator<string[], void>;
  /**
   * All documents of one state of the store, one after the other; over HTTP always, in constant memory.
   * Rejects with `network` where it breaks off.
   */
  export(options?: KeyRange): AsyncGenerator<StoredDocument<Value>, void>;
  /**
   * All of the changes (1,000 at most, each of another key), or none: then it rejects with `conflict`, and
   * the error's `failures` say which and why.
   */
  batch(
    changes: readonly BatchChange<Value>[],
    options?: CallOptions,
  ): Promise<BatchResult<Value>[]>;
}

const DEFAULT_PAGE = 1_000;
const NDJSON = 'application/x-ndjson';

export function createDocuments<Value>(
  request: Requests,
  http: HttpTransport,
  codec: Codec<Value>,
): Documents<Value> {
  function toDocument(key: string, answer: ClientAnswer): StoredDocument<Value> {
    return { key, etag: answer.header('etag') ?? '', value: codec.parse(answer.text) };
  }

  return {
    async create(key, value, { signal } = {}) {
      const body = value === undefined ? undefined : codec.stringify(value);
      const path = documentPath(key);
      return toDocument(key, await request({ method: 'POST', path, body, signal }));
    },

    async get(key, { signal } = {}) {
      return toDocument(key, await request({ method: 'GET', path: documentPath(key), signal }));
    },

    async getIfChanged(key, etag, { signal } = {}) {
      const headers = { 'if-none-match': etag };
      const path = documentPath(key);
      const answer = await request({ method: 'GET', path, headers, signal });
      return answer.status === 304 ? undefined : toDocument(key, answer);
    },

    async replace(key, value, { signal, ...pre } = {}) {
      const [path, body] = [documentPath(key), codec.stringify(value)];
      const headers = preconditions(pre);
      return toDocument(key, await request({ method: 'PUT', path, body, headers, signal }));
    },

    async patch(key, patch, { signal, ...pre } = {}) {
      const path = documentPath(key);
      const headers = preconditions(pre);
      const sent = { method: 'PATCH', path, headers, signal, ...patchBody(patch) } as const;
      return toDocument(key, await request(sent));
    },

    async delete(key, { signal, ...pre } = {}) {
      const headers = preconditions(pre);
      await request({ method: 'DELETE', path: documentPath(key), headers, signal });
    },

    async *keys({ prefix, after, pageSize = DEFAULT_PAGE, signal } = {}) {
      for (let last = after, hasMore = true; hasMore; ) {
        const path = withQuery('/data', { prefix, after: last, limit: pageSize });
        const answer = await request({ method: 'GET', path, signal });
        const page: string[] = jsonOf(answer);
        last = page.at(-1);
        hasMore = answer.header('link') !== undefined;
        if (page.length > 0) yield page;
      }
    },

    async *export({ prefix, after, signal } = {}) {
      const path = withQuery('/data', { prefix, after });
      const headers = { accept: NDJSON };
      const response = await http.open({ method: 'GET', path, headers, signal });
      const { status, body } = response;
      if (status !== 200 || !body) {
        const header = (name: string) => response.headers.get(name) ?? undefined;
        throw refusalOf({ status, header, text: await response.text() });
      }
      const lines = textLines(body);
      for (;;) {
        const { value: line, done } = await lines.next().catch((error) => {
          signal?.throwIfAborted();
          throw new KeystowClientError('network', 'The export broke off: begin it again.', {
            cause: error,
          });
        });
        if (done) return;
        yield exported(line, codec);
      }
    },

    batch: (changes, { signal } = {}) => sendBatch(request, codec, changes, signal),
  };
}

/** The value is parsed apart from its line, so that a codec for texts gets just its text. */
function exported<Value>(line: string, codec: Codec<Value>): StoredDocument<Value> {
  // A quote inside the key is escaped: nothing before is spelled like this.
  const name = ',"value":';
  const at = line.indexOf(name);
  const { key, etag }: { key: string; etag: string } = JSON.parse(`${line.slice(0, at)}}`);
  return { key, etag, value: codec.parse(line.slice(at + name.length, -1)) };
}

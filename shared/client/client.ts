import { type Codec, type JsonValue, json } from './codec.ts';
import { createDocuments, type Documents } from './documents.ts';
import { createHttpFeed } from './http-feed.ts';
import { type Credentials, createHttpTransport } from './http-transport.ts';
import { createRequests } from './requests.ts';
import { createSaves, type SaveScope, type Saves } from './saves.ts';
import { createSocketFeed } from './socket-feed.ts';
import { type ConnectSocket, createSocketTransport } from './socket-transport.ts';
import type { ClientRequest, Transport } from './transport.ts';
import { createUploads, type Uploads } from './uploads.ts';
import { type WatchItem, type WatchOptions, watchFeed } from './watch.ts';

export interface ClientOptions {
  /** Where the server is, such as `https://saves.example:6375`. */
  readonly url: string;
  /** Without them a page of the server itself uses those that its browser knows. */
  readonly credentials?: Credentials;
  /**
   * `io` of socket.io-client 4: requests and the watch then go over Socket.IO. Exports, the bytes of
   * saves, uploads and batches that are too large for one message go over HTTP all the same.
   */
  readonly io?: ConnectSocket;
  /** In the place of the global one: with a proxy or a certificate of one's own. */
  readonly fetch?: typeof fetch;
  /** How long one attempt of a request may take; 30,000 ms unless told. Streams and uploads have no limit. */
  readonly timeoutMs?: number;
  /** Attempts after the first, where another cannot do something twice; 3 unless told. */
  readonly retries?: number;
}

export interface KeystowClient {
  /** Values as JSON.parse reads them. */
  readonly documents: Documents<JsonValue>;
  /** The same with values of one's own kind, such as a schema's, or with `text`, which loses nothing. */
  documentsAs<Value>(codec: Codec<Value>): Documents<Value>;
  /** Changes as they come. It resumes by itself where connections are lost, and says where it could not. */
  watch(options?: WatchOptions): AsyncGenerator<WatchItem, void>;
  readonly uploads: Uploads;
  saves(bucket: string, scope?: SaveScope): Saves;
  /** Ends what is under way, and the watches. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
/** A batch past this might be more than one message may have, where MAX_DOCUMENT_BYTES is small. */
const MAX_SOCKET_BATCH_CHARS = 32_768;

export function createClient(options: ClientOptions): KeystowClient {
  const { credentials, timeoutMs = DEFAULT_TIMEOUT_MS, retries = DEFAULT_RETRIES } = options;
  const base = options.url.replace(/\/+$/, '');
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  const http = createHttpTransport({ base, credentials, fetch: send, timeoutMs });
  const socket = options.io?.(base, { auth: credentials ? { ...credentials } : {} });
  const overSocket = socket && createSocketTransport(socket, timeoutMs);
  const transport = overSocket ? smallOver(overSocket, http) : http;
  const request = createRequests(transport, retries);
  const openFeed = socket ? createSocketFeed(socket, timeoutMs) : createHttpFeed(http);
  const closing = new AbortController();

  return {
    documents: createDocuments(request, http, json),
    documentsAs: (codec) => createDocuments(request, http, codec),
    uploads: createUploads(request, send),
    saves: (bucket, scope = {}) => createSaves(request, http, send, bucket, scope),

    watch(watched = {}) {
      const signals = [closing.signal, ...(watched.signal ? [watched.signal] : [])];
      return watchFeed(openFeed, { ...watched, signal: AbortSignal.any(signals) });
    },

    close() {
      closing.abort();
      overSocket?.close();
      http.close();
    },
  };
}

/** Envelopes for what certainly fits into one. */
function smallOver(small: Transport, large: Transport): Transport {
  const isLarge = ({ path, body = '' }: ClientRequest): boolean =>
    path === '/api/batch' && JSON.stringify(body).length > MAX_SOCKET_BATCH_CHARS;
  return {
    send: (request) => (isLarge(request) ? large : small).send(request),
    close() {
      small.close();
      large.close();
    },
  };
}

import type { CallOptions } from './documents.ts';
import type { HttpTransport } from './http-transport.ts';
import { withQuery } from './paths.ts';
import type { Requests } from './requests.ts';
import { jsonOf, refusalOf } from './transport.ts';
import { type SignedForm, type UploadOptions, uploadForm } from './upload-form.ts';

export interface SaveSlot {
  /** 11 digits. */
  readonly slot: string;
  /** The number of the latest version. */
  readonly latest: number;
  /** When it was saved, ISO 8601. */
  readonly time: string;
}

export interface SaveVersion {
  readonly version: number;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** In quotes. */
  readonly etag: string;
  /** ISO 8601. */
  readonly time: string;
}

export interface SaveForm extends SignedForm {
  readonly slot: string;
  readonly version: number;
  readonly key: string;
}

export interface StoredSave {
  readonly version: number;
  readonly key: string;
  readonly etag: string;
}

export interface SaveBytes {
  /** In quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** To be read, or cancelled: until then it holds its connection. */
  readonly body: ReadableStream<Uint8Array>;
}

export interface SaveScope {
  /** The bucket's own unless told. */
  readonly prefix?: string;
  /** 1 unless told. */
  readonly n?: number;
}

export interface SlotPages extends CallOptions {
  /** Only slots behind this one. */
  readonly after?: string | number;
  /** 1 to 10,000 slots; 1,000 unless told. */
  readonly pageSize?: number;
}

/** The saves of one bucket, in slots with numbered versions. All calls reject with a KeystowClientError. */
export interface Saves {
  slots(options?: SlotPages): AsyncGenerator<SaveSlot[], void>;
  /** Those that are kept, the oldest first. Rejects with `not-found` for an unused slot. */
  versions(slot: number | string, options?: CallOptions): Promise<SaveVersion[]>;
  /** The form for the next version, for so many bytes where `size` is given. */
  sign(
    slot: number | string,
    input?: { readonly size?: number; readonly signatureVersion?: 2 | 4 },
    options?: CallOptions,
  ): Promise<SaveForm>;
  /**
   * Saves the next version. Rejects with `forbidden` where another was saved meanwhile: look at that one
   * first.
   */
  upload(slot: number | string, file: Blob, options?: UploadOptions): Promise<StoredSave>;
  read(
    slot: number | string,
    version: number | 'latest',
    options?: CallOptions,
  ): Promise<SaveBytes>;
  /** Makes an old version the newest one, under a new number. */
  restore(slot: number | string, version: number, options?: CallOptions): Promise<SaveVersion>;
}

const DEFAULT_PAGE = 1_000;

export function createSaves(
  request: Requests,
  http: HttpTransport,
  fetchFile: typeof fetch,
  bucket: string,
  { prefix, n }: SaveScope,
): Saves {
  const root = `/api/saves/${encodeURIComponent(bucket)}`;
  const pathOf = (...segments: (number | string)[]): string =>
    withQuery([root, ...segments.map(encodeURIComponent)].join('/'), { prefix, n });

  async function sign(
    slot: number | string,
    input: object = {},
    { signal }: CallOptions = {},
  ): Promise<SaveForm> {
    const body = JSON.stringify(input);
    const answer = await request({ method: 'POST', path: pathOf(slot), body, signal });
    return jsonOf(answer);
  }

  return {
    sign,

    async *slots({ after, pageSize = DEFAULT_PAGE, signal } = {}) {
      for (let last = after, hasMore = true; hasMore; ) {
        const path = withQuery(root, { prefix, n, after: last, limit: pageSize });
        const answer = await request({ method: 'GET', path, signal });
        const page: SaveSlot[] = jsonOf(answer);
        last = page.at(-1)?.slot;
        hasMore = answer.header('link') !== undefined;
        if (page.length > 0) yield page;
      }
    },

    async versions(slot, { signal } = {}) {
      const answer = await request({ method: 'GET', path: pathOf(slot), signal });
      return jsonOf(answer);
    },

    async upload(slot, file, options = {}) {
      const form = await sign(slot, { size: file.size }, { signal: options.signal });
      const { etag } = await uploadForm(form, file, { fetch: fetchFile, ...options });
      return { version: form.version, key: form.key, etag };
    },

    async read(slot, version, { signal } = {}) {
      const response = await http.open({ method: 'GET', path: pathOf(slot, version), signal });
      const { status, body, headers } = response;
      const header = (name: string) => headers.get(name) ?? undefined;
      if (status !== 200 || !body) {
        throw refusalOf({ status, header, text: await response.text() });
      }
      return { etag: header('etag') ?? '', size: Number(header('content-length')), body };
    },

    async restore(slot, version, { signal } = {}) {
      const body = JSON.stringify({ version });
      const path = pathOf(slot, 'restore');
      const answer = await request({ method: 'POST', path, body, signal });
      return jsonOf(answer);
    },
  };
}

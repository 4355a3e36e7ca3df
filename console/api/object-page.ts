/** What `/api/objects` answers; see docs/rest.md. */

export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** In quotes. */
  readonly etag: string;
  /** ISO 8601. */
  readonly time: string;
  readonly contentType?: string;
  readonly acl: string;
}

export interface ObjectPage {
  /** By key, in byte order. */
  readonly objects: readonly StoredObject[];
  /** What the delimiter rolls up, in the same order. */
  readonly prefixes: readonly string[];
  /** `after` of the next page. */
  readonly next?: string;
}

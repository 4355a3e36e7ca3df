/** A write to a document or an object, as the change feed tells it. */
export interface Change {
  readonly seq: number;
  readonly type: 'put' | 'delete';
  readonly url: string;
  /** In quotes; absent for a deletion, and for an object that was changed again since. */
  readonly etag?: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface ChangePage {
  /** Oldest first. */
  readonly changes: readonly Change[];
  /** The number to go on from. */
  readonly next: number;
}

/** What a client emits as `watch`. */
export interface WatchRequest {
  auth?: { username: string; password: string };
  /** Beginning of the paths to hear of, such as `/data/players/`; all of them without it. */
  prefix?: string;
  /** One document or object alone, such as `/data/test`. */
  url?: string;
  /** The last number that is known; without it the feed begins now. */
  since?: number;
}

export interface FeedError {
  readonly error: string;
  /** With status 410: the smallest number that can be gone on from. */
  readonly oldest?: number;
}

/** How a `watch` is acknowledged. Its changes are events `change` with the number of the watch. */
export interface WatchAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly data: { readonly watch: number; readonly since: number } | FeedError;
}

/** The event `unwatched`: the server has ended a watch. */
export interface Unwatched extends FeedError {
  readonly watch: number;
  readonly status: number;
}

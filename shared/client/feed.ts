import type { Change } from '../changes.ts';

/** One connection to the server's change feed. What is read is what has to be kept: the rest waits there. */

export interface FeedOptions {
  /** Beginning of the paths to hear of; or one path alone. */
  readonly prefix?: string | undefined;
  readonly url?: string | undefined;
  /** The last number that is known; without it the feed begins now. */
  readonly since: number | undefined;
  readonly signal: AbortSignal;
}

export type FeedItem =
  | { readonly type: 'change'; readonly change: Change }
  /** All up to this number was told, or is not for this feed. Each connection begins with one, or with a change. */
  | { readonly type: 'cursor'; readonly seq: number };

/**
 * Ends, or rejects with a KeystowClientError, when the connection does. The code `gone` has the `oldest`
 * cursor that works.
 */
export type OpenFeed = (options: FeedOptions) => AsyncGenerator<FeedItem, void>;

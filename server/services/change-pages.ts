import type { Change } from '../../shared/changes.ts';
import { KeystowError } from '../../shared/errors.ts';
import { ChangesGone, type KvChange, type KvStore } from '../stores/kv-store.ts';
import { objectOfKey } from './buckets.ts';
import { objectEtag } from './objects.ts';
import { resourceUrl } from './resource-url.ts';
import { userOfKey } from './users.ts';

/** An entry of the change log: of a document or an object, of a user, or of something inner. */
export interface LogEntry {
  readonly seq: number;
  /** With the name that grants give it: `data/KEY` or `BUCKET/KEY`. */
  readonly visible?: { readonly resource: string; readonly change: Change };
  /** Whose record it was. */
  readonly user?: string;
}

/** Entries of one page. */
const PAGE_ENTRIES = 500;
/** Pages in memory; those who follow the head all ask for the same ones. */
const MAX_PAGES = 32;

const DATA_PREFIX = 'data/';

type Log = Pick<KvStore, 'changes' | 'get'>;

export interface ChangePages {
  /**
   * The entries after a number, oldest first; empty where there are none. Those who ask for the same ones share one
   * reading. Rejects with KeystowError `gone`.
   */
  read(after: number): Promise<readonly LogEntry[]>;
  /** There are newer entries: who asks from now on does not share a reading that may have begun without them. */
  renew(): void;
}

export function createChangePages(store: Log): ChangePages {
  const pages = new Map<number, Promise<readonly LogEntry[]>>();
  const underWay = new Set<number>();

  async function read(after: number): Promise<readonly LogEntry[]> {
    try {
      const changes = await store.changes(after, PAGE_ENTRIES);
      return await Promise.all(changes.map((change) => toEntry(store, change)));
    } catch (error) {
      throw error instanceof ChangesGone ? gone(after, error.oldest) : error;
    }
  }

  return {
    read(after) {
      const known = pages.get(after);
      if (known) return known;
      const page = read(after);
      pages.set(after, page);
      underWay.add(after);
      const settle = (isKept: boolean): void => {
        if (pages.get(after) !== page) return;
        underWay.delete(after);
        if (!isKept) pages.delete(after);
      };
      // What follows the head is not known yet; nothing is kept of a failure.
      page.then(
        (entries) => settle(entries.length > 0),
        () => settle(false),
      );
      const [oldest] = pages.keys();
      if (pages.size > MAX_PAGES && oldest !== undefined) {
        pages.delete(oldest);
        underWay.delete(oldest);
      }
      return page;
    },

    renew() {
      for (const after of underWay) pages.delete(after);
      underWay.clear();
    },
  };
}

async function toEntry(store: Log, { sequence, type, key, at }: KvChange): Promise<LogEntry> {
  const user = userOfKey(key);
  if (user !== undefined) return { seq: sequence, user };
  const object = objectOfKey(key);
  const resource = key.startsWith(DATA_PREFIX) ? key : object;
  if (resource === undefined) return { seq: sequence };
  const slash = resource.indexOf('/');
  const url = resourceUrl(resource.slice(0, slash), resource.slice(slash + 1));
  const etag = type === 'delete' ? undefined : await etagOf(store, key, sequence);
  const change = {
    seq: sequence,
    type,
    url,
    ...(etag === undefined ? {} : { etag }),
    at: new Date(at).toISOString(),
  };
  return { seq: sequence, visible: { resource, change } };
}

async function etagOf(store: Log, key: string, sequence: number): Promise<string | undefined> {
  if (objectOfKey(key) === undefined) return `"${sequence}"`;
  // A damaged entry has none; whoever reads the object is told.
  const entry = await store.get(key).catch(() => undefined);
  return entry?.version === sequence ? `"${objectEtag(entry)}"` : undefined;
}

function gone(after: number, oldest: number): KeystowError {
  const message =
    after < oldest
      ? `The changes after ${after} are no longer kept: read everything anew, and go on from ${oldest} or later.`
      : `There is no change ${after} yet: read everything anew, and go on from ${oldest} or later.`;
  return new KeystowError('gone', message, { members: { oldest } });
}

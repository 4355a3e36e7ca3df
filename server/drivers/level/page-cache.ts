import type { KvRange } from '../../stores/kv-store.ts';

/**
 * Pages of keys that clients ask for again and again: making strings of them takes longer than all the rest
 * of a list. A page is kept until a key with its prefix appears or goes, so it is always what a read would give.
 */
export interface PageCache {
  /** The page, by `read` where it is not known; what is being written then is not kept. */
  get(range: KvRange, read: () => Promise<string[]>): Promise<readonly string[]>;
  /** Before a batch is written in which these keys appear or go. */
  writing(keys: readonly string[]): void;
  /** The batch is on disk. */
  written(): void;
}

/** Of all pages together, in characters of their keys. */
const MAX_CHARS = 2 * 1_048_576;
const MAX_PAGES = 64;

interface Page {
  readonly prefix: string;
  readonly keys: readonly string[];
  readonly chars: number;
}

export function createPageCache(): PageCache {
  const pages = new Map<string, Page>();
  let chars = 0;
  let isWriting = false;
  /** Batches so far: a page that was read across one may be older or newer. */
  let batches = 0;

  function drop(name: string, page: Page): void {
    pages.delete(name);
    chars -= page.chars;
  }

  function keep(name: string, page: Page): void {
    const before = pages.get(name);
    if (before) drop(name, before);
    pages.set(name, page);
    chars += page.chars;
    for (const [oldest, old] of pages) {
      if (pages.size <= MAX_PAGES && chars <= MAX_CHARS) return;
      drop(oldest, old);
    }
  }

  return {
    async get(range, read) {
      const name = JSON.stringify([range.prefix, range.after, range.limit]);
      const known = pages.get(name);
      if (known) return known.keys;
      const [mayKeep, begun] = [!isWriting, batches];
      const keys = await read();
      if (mayKeep && begun === batches) {
        const size = keys.reduce((sum, key) => sum + key.length, name.length);
        keep(name, { prefix: range.prefix, keys, chars: size });
      }
      return keys;
    },

    writing(keys) {
      isWriting = true;
      batches += 1;
      for (const [name, page] of pages) {
        if (keys.some((key) => key.startsWith(page.prefix))) drop(name, page);
      }
    },

    written() {
      isWriting = false;
    },
  };
}

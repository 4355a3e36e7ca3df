/** Counts who reads what, so that it is removed only once nobody does. */
export interface Readers {
  /** To be called once when reading ends; later calls do nothing. */
  open(id: string): () => void;
  /** Resolves once nobody reads it. */
  none(id: string): Promise<void>;
}

export function createReaders(): Readers {
  const reading = new Map<string, { count: number; readonly onNone: (() => void)[] }>();

  return {
    open(id) {
      const readers = reading.get(id) ?? { count: 0, onNone: [] };
      readers.count += 1;
      reading.set(id, readers);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        readers.count -= 1;
        if (readers.count > 0) return;
        reading.delete(id);
        for (const resolve of readers.onNone) resolve();
      };
    },

    async none(id) {
      const readers = reading.get(id);
      if (readers) await new Promise<void>((resolve) => readers.onNone.push(resolve));
    },
  };
}

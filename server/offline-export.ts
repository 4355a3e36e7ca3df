import { toLine } from './http/routes/documents.ts';
import { createDocuments } from './services/documents.ts';

/**
 * The lines of an export, read from a data directory that no server has open, even where opening
 * it for writing is refused because of lost writes: that is told to `onWarning`.
 */
export async function* exportDataDir(options: {
  readonly dataDir: string;
  readonly prefix: string;
  readonly onWarning: (message: string) => void;
}): AsyncGenerator<string> {
  const { openLevelStoreReadOnly } = await import('./drivers/level/level-store.ts');
  const store = await openLevelStoreReadOnly(options.dataDir, options.onWarning);
  try {
    const documents = createDocuments(store, { maxDocumentBytes: Number.POSITIVE_INFINITY });
    const reader = { name: 'export', role: 'admin', grants: [], version: 0 } as const;
    const all = { prefix: options.prefix, after: undefined, limit: undefined };
    for await (const page of documents.list(reader, all)) {
      for (const document of page) yield toLine(document);
    }
  } finally {
    await store.close();
  }
}

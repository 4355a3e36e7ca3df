import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileBlobStore } from '../../server/drivers/file/file-blob-store.ts';
import { makeFolder } from '../support/make-folder.ts';
import { testBlobStore } from './blob-store.ts';

testBlobStore('file', async () => {
  const folder = await makeFolder();
  return {
    open: () => openFileBlobStore(join(folder, 'blobs')),
    async count() {
      const found = await readdir(folder, { recursive: true, withFileTypes: true });
      return found.filter((entry) => entry.isFile()).length;
    },
    remove: () => rm(folder, { recursive: true }),
  };
});

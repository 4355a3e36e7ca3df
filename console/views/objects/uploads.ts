import { effect } from '@preact/signals';
import { findObject } from '../../api/objects.ts';
import { uploadFile } from '../../api/uploads.ts';
import { askToStay } from '../../parts/ask-to-stay.ts';
import { session } from '../../session.ts';
import { createUploadQueue } from './upload-queue.ts';

/** The uploads of this tab, whatever it shows. */
export const uploads = createUploadQueue({ find: findObject, send: uploadFile });

session.subscribe((signedIn) => {
  if (!signedIn) uploads.clear();
});

effect(() => (uploads.isBusy.value ? askToStay() : undefined));

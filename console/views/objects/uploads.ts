import { effect } from '@preact/signals';
import { findObject } from '../../api/objects.ts';
import { uploadFile } from '../../api/uploads.ts';
import { session } from '../../session.ts';
import { createUploadQueue } from './upload-queue.ts';

/** The uploads of this tab, whatever it shows. */
export const uploads = createUploadQueue({ find: findObject, send: uploadFile });

session.subscribe((signedIn) => {
  if (!signedIn) uploads.clear();
});

effect(() => {
  if (!uploads.isBusy.value) return;
  addEventListener('beforeunload', askToStay);
  return () => removeEventListener('beforeunload', askToStay);
});

/** The browser asks in words of its own. */
function askToStay(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

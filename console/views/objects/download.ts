import { presignReading, readObject } from '../../api/objects.ts';
import { saveBlob, saveUrl } from '../../parts/save-file.ts';
import { fileNameOf } from './folder.ts';

/** Long enough to begin, and to go on after a pause. */
const URL_SECONDS = 900;

/**
 * Has the browser save the object, straight from the server where its signed URL is of this origin: so nothing
 * of it has to be in memory. A URL of another host (PUBLIC_URL) is signed for that one, and this page reads from its own alone.
 */
export async function download(bucket: string, key: string, signal: AbortSignal): Promise<void> {
  const url = await presignReading(bucket, key, URL_SECONDS);
  signal.throwIfAborted();
  if (new URL(url).origin === location.origin) return saveUrl(url, fileNameOf(key));
  saveBlob(await readObject(bucket, key, signal), fileNameOf(key));
}

import { presignReading, readObject } from '../../api/objects.ts';
import { fileNameOf } from './folder.ts';

/** Long enough to begin, and to go on after a pause. */
const URL_SECONDS = 900;
const KEPT_MS = 60_000;

/**
 * Has the browser save the object, straight from the server where its signed URL is of this origin: so nothing
 * of it has to be in memory. A URL of another host (PUBLIC_URL) is signed for that one, and this page reads from its own alone.
 */
export async function download(bucket: string, key: string, signal: AbortSignal): Promise<void> {
  const url = await presignReading(bucket, key, URL_SECONDS);
  signal.throwIfAborted();
  if (new URL(url).origin === location.origin) return save(url, key);
  const blob = URL.createObjectURL(await readObject(bucket, key, signal));
  save(blob, key);
  setTimeout(() => URL.revokeObjectURL(blob), KEPT_MS);
}

function save(url: string, key: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = fileNameOf(key);
  link.click();
}

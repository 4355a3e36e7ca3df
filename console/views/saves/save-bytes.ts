import { type Beginning, readBeginning } from '../../api/read-beginning.ts';
import { saveBlob } from '../../parts/save-file.ts';
import { current } from '../../session.ts';
import type { SaveFolder } from './save-change.ts';

/** So much of a save is shown; the rest is for a download and an editor for bytes. */
export const MAX_SHOWN_BYTES = 16 * 1024 * 1024;

export async function readSave(
  { bucket, prefix, n }: SaveFolder,
  slot: string,
  version: number,
  signal: AbortSignal,
): Promise<Beginning> {
  const saves = current().client.saves(bucket, { prefix, n });
  const { body } = await saves.read(slot, version, { signal });
  return readBeginning(body, MAX_SHOWN_BYTES);
}

/** Hands the whole save to the browser, as the file SLOT-VERSION.bin. */
export async function downloadSave(
  { bucket, prefix, n }: SaveFolder,
  slot: string,
  version: number,
): Promise<void> {
  const { body } = await current().client.saves(bucket, { prefix, n }).read(slot, version);
  const blob = await new Response(body).blob();
  const file = new Blob([blob], { type: 'application/octet-stream' });
  saveBlob(file, `${slot}-${String(version).padStart(5, '0')}.bin`);
}

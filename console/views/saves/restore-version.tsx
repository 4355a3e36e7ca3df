import { useState } from 'preact/hooks';
import type { SaveVersion } from '../../../shared/client/index.ts';
import type { Bucket } from '../../api/buckets.ts';
import { formatBytes, formatTime } from '../../parts/amounts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { announce } from '../../parts/toasts.tsx';
import { current } from '../../session.ts';
import type { SaveFolder } from './save-change.ts';

/** Makes an old version the newest one, after a question. */
export function RestoreVersion(props: {
  bucket: Bucket;
  folder: SaveFolder;
  slot: string;
  save: SaveVersion;
  latest: number;
  onRestored: (version: number) => Promise<void>;
}) {
  const { bucket, folder, slot, save, latest, onRestored } = props;
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function restore(): Promise<void> {
    setAsking(false);
    setBusy(true);
    setError(undefined);
    try {
      const { bucket: name, prefix, n } = folder;
      const saves = current().client.saves(name, { prefix, n });
      const { version } = await saves.restore(slot, save.version);
      announce({ text: `Version ${save.version} is the newest one again, as version ${version}.` });
      await onRestored(version);
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  }

  const { keepVersions } = bucket;
  const rest =
    keepVersions === undefined
      ? 'All other versions stay.'
      : `This bucket keeps ${keepVersions} versions of a slot, so the oldest may go.`;
  return (
    <>
      <button type="button" aria-disabled={isBusy} onClick={() => setAsking(!isBusy)}>
        {isBusy ? 'Restoring …' : 'Restore'}
      </button>
      <ErrorNotice error={error} />
      {isAsking && (
        <Confirm
          title={`Restore version ${save.version}?`}
          text={`This makes version ${save.version} (${formatBytes(save.size)}, ${formatTime(save.time)}) the newest one, as version ${latest + 1}. ${rest}`}
          action="Restore"
          onConfirm={restore}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

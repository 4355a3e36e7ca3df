import { useEffect, useState } from 'preact/hooks';
import { isAbort } from '../../parts/explain.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { download } from './download.ts';

export function DownloadButton({ bucket, objectKey }: { bucket: string; objectKey: string }) {
  const [work, setWork] = useState<AbortController>();
  const [error, setError] = useState<unknown>();
  useEffect(() => () => work?.abort(), [work]);

  async function start(): Promise<void> {
    const own = new AbortController();
    setWork(own);
    setError(undefined);
    try {
      await download(bucket, objectKey, own.signal);
    } catch (reason) {
      if (!isAbort(reason)) setError(reason);
    }
    setWork(undefined);
  }

  return (
    <>
      {work ? (
        <button type="button" onClick={() => work.abort()}>
          Cancel the download
        </button>
      ) : (
        <button type="button" class="primary" onClick={start}>
          Download
        </button>
      )}
      <ErrorNotice error={error} />
    </>
  );
}

import { useEffect } from 'preact/hooks';
import type { StoredObject } from '../../api/object-page.ts';
import { keyOfUrl } from '../../api/object-path.ts';
import { findObject, readHeaders } from '../../api/objects.ts';
import { onChange } from '../../live.ts';
import { isAbort } from '../../parts/explain.ts';
import { useRead } from '../../parts/use-read.ts';

interface ReadObject {
  readonly object: StoredObject | undefined;
  readonly headers?: Headers;
  /** Why there are no headers. */
  readonly error?: unknown;
}

const SETTLE_MS = 250;

/** An object as it is now: read again when it is written or deleted. */
export function useObject(bucket: string, key: string) {
  const { value, error, reload } = useRead(JSON.stringify([bucket, key]), (signal) =>
    readObject(bucket, key, signal),
  );

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onChange((item) => {
      if ('url' in item && keyOfUrl(item.url, bucket) !== key) return;
      clearTimeout(timer);
      timer = setTimeout(reload, SETTLE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [bucket, key]);

  return {
    object: value?.object,
    headers: value?.headers,
    isGone: value !== undefined && value.object === undefined,
    error: error ?? value?.error,
    reload,
  };
}

async function readObject(bucket: string, key: string, signal: AbortSignal): Promise<ReadObject> {
  const object = await findObject(bucket, key, signal);
  if (!object) return { object };
  try {
    return { object, headers: await readHeaders(bucket, key, signal) };
  } catch (error) {
    if (isAbort(error)) throw error;
    // The list knows something of it, too.
    return { object, error };
  }
}

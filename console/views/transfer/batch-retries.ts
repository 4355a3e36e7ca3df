import { KeystowClientError } from '../../../shared/client/index.ts';
import type { ImportControl } from './import-control.ts';

/** Why a batch is tried again, or waits to be told so (`asks`). */
export interface Trouble {
  readonly error: unknown;
  readonly asks: boolean;
}

/** Before a failed batch is tried again by itself. After the last of them the person is asked. */
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];

/** What waits before another attempt at a batch; it rejects with the error once the import is to stop. */
export function createBatchRetries(
  control: ImportControl,
  onTrouble: (trouble: Trouble) => void,
): (error: unknown, attempt: number) => Promise<void> {
  return async (error, attempt) => {
    if (!control.mayRetry()) throw error;
    const wait = isPassing(error) ? RETRY_MS[attempt] : undefined;
    onTrouble({ error, asks: wait === undefined });
    await control.decision(wait);
    if (!control.mayRetry()) throw error;
    onTrouble({ error, asks: false });
  };
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof KeystowClientError)) return false;
  return (
    error.code === 'network' ||
    error.code === 'timeout' ||
    [429, 502, 503, 504].includes(error.status)
  );
}

import { explain } from './explain.ts';

/** What went wrong and what to do, read out at once. Nothing where there is no error. */
export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (error === undefined) return null;
  return (
    <div class="notice error" role="alert">
      <p>{explain(error)}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

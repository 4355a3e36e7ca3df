import { useEffect, useRef } from 'preact/hooks';
import { countOf, formatBytes } from '../../parts/amounts.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { replace, route } from '../../router.ts';
import { session } from '../../session.ts';
import { cancelExport, exportState, startExport } from './export-job.ts';

export function ExportPanel() {
  const state = exportState.value;
  const prefix = route.value.query.get('prefix') ?? '';
  const isRunning = state.kind === 'running';
  const button = useRef<HTMLButtonElement>(null);
  const wasRunning = useRef(isRunning);
  useEffect(() => {
    // The button that had the focus is gone.
    if (isRunning !== wasRunning.current && document.activeElement === document.body) {
      button.current?.focus();
    }
    wasRunning.current = isRunning;
  }, [isRunning]);

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void startExport(prefix);
  }

  return (
    <section class="panel" aria-labelledby="export">
      <h2 id="export">Export</h2>
      <p class="hint">
        Saves the documents as they are at one moment, as a file with a line of JSON for each.
        {session.value?.isAdmin === false && ' It has the documents that your grants cover.'}
      </p>
      <form onSubmit={submit}>
        <label>
          Keys that begin with
          <input
            value={prefix}
            placeholder="all keys"
            disabled={isRunning}
            spellcheck={false}
            autocomplete="off"
            onInput={({ currentTarget: { value } }) =>
              replace('transfer', { prefix: value === '' ? undefined : value })
            }
          />
        </label>
        {isRunning ? (
          <>
            <progress aria-label="Export" />
            <p class="numbers">
              {countOf(state.documents, 'document')}, {formatBytes(state.bytes)}
            </p>
            <div class="toolbar">
              <button key="cancel" ref={button} type="button" onClick={cancelExport}>
                Cancel
              </button>
            </div>
          </>
        ) : (
          <div class="toolbar">
            <button key="start" ref={button} type="submit" class="primary">
              Export
            </button>
          </div>
        )}
      </form>
      {state.kind === 'done' && (
        <div class="notice" role="status">
          <p>
            Saved {countOf(state.documents, 'document')} ({formatBytes(state.bytes)}) as{' '}
            <StoredText text={state.name} />, as of revision {state.revision}.
          </p>
        </div>
      )}
      {state.kind === 'cancelled' && (
        <p class="notice" role="status">
          The export was cancelled: nothing was saved.
        </p>
      )}
      {state.kind === 'failed' && (
        <ErrorNotice error={state.error} onRetry={() => void startExport(prefix)} />
      )}
    </section>
  );
}

import { useEffect, useRef } from 'preact/hooks';
import { ImportChecked, ImportChecking } from './import-check.tsx';
import { ImportChoice } from './import-choice.tsx';
import { ImportProgress } from './import-progress.tsx';
import { ImportReport } from './import-report.tsx';
import { importState } from './import-state.ts';

export function ImportPanel() {
  const state = importState.value;
  const panel = useRef<HTMLElement>(null);
  const shown = useRef(state.kind);
  useEffect(() => {
    if (shown.current === state.kind) return;
    shown.current = state.kind;
    // What had the focus is gone: reading goes on where it was.
    if (document.activeElement === document.body) panel.current?.focus();
  }, [state.kind]);
  return (
    <section ref={panel} class="panel" aria-labelledby="import" tabIndex={-1}>
      <h2 id="import">Import</h2>
      {state.kind === 'idle' && <ImportChoice error={state.error} />}
      {state.kind === 'checking' && <ImportChecking state={state} />}
      {state.kind === 'checked' && <ImportChecked state={state} />}
      {state.kind === 'writing' && <ImportProgress state={state} />}
      {state.kind === 'ended' && <ImportReport state={state} />}
    </section>
  );
}

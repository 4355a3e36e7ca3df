import { effect } from '@preact/signals';
import { exportState } from './export-job.ts';
import { importState } from './import-state.ts';

/** The browser asks before the page is left while something is under way: it would end with the page. */

effect(() => {
  const isBusy = exportState.value.kind === 'running' || importState.value.kind === 'writing';
  if (isBusy) addEventListener('beforeunload', ask);
  else removeEventListener('beforeunload', ask);
});

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

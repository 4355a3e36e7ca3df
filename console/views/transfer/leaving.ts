import { effect } from '@preact/signals';
import { askToStay } from '../../parts/ask-to-stay.ts';
import { exportState } from './export-job.ts';
import { importState } from './import-state.ts';

/** What is under way would end with the page. */
effect(() => {
  const isBusy = exportState.value.kind === 'running' || importState.value.kind === 'writing';
  return isBusy ? askToStay() : undefined;
});

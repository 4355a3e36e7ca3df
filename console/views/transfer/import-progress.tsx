import { countOf, formatBytes, formatCount } from '../../parts/amounts.ts';
import { explain } from '../../parts/explain.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import type { Trouble } from './batch-retries.ts';
import { Counts } from './counts.tsx';
import { pauseImport, resumeImport, stopImport } from './import-job.ts';
import type { Writing } from './import-state.ts';
import { formatLeft, secondsLeft } from './time-left.ts';

const TITLES = {
  running: 'Importing',
  pausing: 'Importing',
  paused: 'Paused in',
  stopping: 'Stopping after this batch of',
} as const;

export function ImportProgress({ state }: { state: Writing }) {
  const { file, lines, counts, done, elapsedMs, phase, trouble } = state;
  const handled = counts.created + counts.replaced + counts.skipped + counts.refused.count;
  const seconds = phase === 'running' ? secondsLeft(done, file.size, elapsedMs) : undefined;
  return (
    <>
      <p>
        {TITLES[phase]} <StoredText text={file.name} />
      </p>
      <progress aria-label="Import" max={file.size} value={done} />
      <p class="numbers">
        {formatCount(handled)} of {countOf(lines, 'line')}, {formatBytes(done)} of{' '}
        {formatBytes(file.size)}
        {seconds !== undefined && `, ${formatLeft(seconds)}`}
      </p>
      <Counts counts={counts} />
      {trouble && <TroubleNotice trouble={trouble} />}
      <div class="toolbar">
        {phase === 'paused' || phase === 'pausing' ? (
          <button key="pause" type="button" class="primary" onClick={resumeImport}>
            Go on
          </button>
        ) : (
          <button
            key="pause"
            type="button"
            disabled={phase === 'stopping' || trouble?.asks}
            onClick={pauseImport}
          >
            Pause
          </button>
        )}
        <button type="button" disabled={phase === 'stopping'} onClick={stopImport}>
          Cancel
        </button>
      </div>
    </>
  );
}

function TroubleNotice({ trouble: { error, asks } }: { trouble: Trouble }) {
  return (
    <div class="notice error" role="alert">
      <p>
        A batch could not be stored. {explain(error)}
        {!asks && ' It is tried again.'}
      </p>
      {asks && (
        <button type="button" onClick={resumeImport}>
          Try again
        </button>
      )}
    </div>
  );
}

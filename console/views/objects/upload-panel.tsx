import { formatBytes, formatCount, formatTime } from '../../parts/amounts.ts';
import { explain } from '../../parts/explain.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { visible } from '../../parts/visible.ts';
import { folderOf } from './folder.ts';
import { hrefOf } from './places.ts';
import { isOver, type Upload } from './upload-queue.ts';
import { milestoneOf, percentOf, summaryOf } from './upload-summary.ts';
import { uploads } from './uploads.ts';

/** Of very many only these are in the page: first what is asked or went wrong, then what is under way. */
const SHOWN = 50;
const ORDER: Readonly<Record<Upload['state']['kind'], number>> = {
  exists: 0,
  failed: 1,
  sending: 2,
  checking: 2,
  waiting: 3,
  cancelled: 4,
  skipped: 4,
  done: 5,
};

/** The uploads of this tab, wherever to. */
export function UploadPanel() {
  const all = uploads.uploads.value;
  const asked = all.filter(({ state }) => state.kind === 'exists');
  const failed = all.filter(({ state }) => state.kind === 'failed');
  const isBusy = uploads.isBusy.value;
  const shown =
    all.length <= SHOWN
      ? all
      : all
          .toSorted((one, other) => ORDER[one.state.kind] - ORDER[other.state.kind])
          .slice(0, SHOWN);

  return (
    <>
      <p class="visually-hidden" role="status">
        {all.length > 0 && milestoneOf(all)}
      </p>
      {all.length > 0 && (
        <section class="panel uploads" aria-label="Uploads">
          <div class="toolbar">
            <h2>Uploads</h2>
            <p class="summary">{summaryOf(all)}</p>
            {asked.length > 1 && (
              <>
                <button type="button" onClick={() => decideAll(asked, 'replace')}>
                  Replace all
                </button>
                <button type="button" onClick={() => decideAll(asked, 'skip')}>
                  Skip all
                </button>
              </>
            )}
            {failed.length > 1 && (
              <button type="button" onClick={() => retryAll(failed)}>
                Retry all
              </button>
            )}
            {isBusy ? (
              <button type="button" onClick={cancelAll}>
                Cancel all
              </button>
            ) : (
              <button type="button" onClick={uploads.tidy}>
                Close
              </button>
            )}
          </div>
          <ul class="plain">
            {shown.map((upload) => (
              <UploadRow key={upload.id} upload={upload} />
            ))}
          </ul>
          {all.length > SHOWN && <p class="hint">and {formatCount(all.length - SHOWN)} more</p>}
        </section>
      )}
    </>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  const { id, bucket, key, size, state } = upload;
  const name = visible(key);
  return (
    <li class={`upload ${state.kind}`}>
      <div class="upload-name">
        {state.kind === 'done' ? (
          <a href={hrefOf({ bucket, prefix: folderOf(key), key })}>
            <StoredText text={key} />
          </a>
        ) : (
          <StoredText text={key} />
        )}
      </div>
      <UploadState upload={upload} />
      <div class="actions">
        {state.kind === 'exists' && (
          <>
            <button
              type="button"
              class="danger"
              aria-label={`Replace ${name}`}
              onClick={() => uploads.decide(id, 'replace')}
            >
              Replace
            </button>
            <button
              type="button"
              aria-label={`Skip ${name}`}
              onClick={() => uploads.decide(id, 'skip')}
            >
              Skip
            </button>
          </>
        )}
        {(state.kind === 'failed' || state.kind === 'cancelled') && (
          <button type="button" aria-label={`Retry ${name}`} onClick={() => uploads.retry(id)}>
            Retry
          </button>
        )}
        {(state.kind === 'waiting' || state.kind === 'checking' || state.kind === 'sending') && (
          <button type="button" aria-label={`Cancel ${name}`} onClick={() => uploads.cancel(id)}>
            Cancel
          </button>
        )}
      </div>
      {state.kind === 'sending' && (
        <progress
          value={state.sent}
          max={Math.max(size, 1)}
          aria-label={`Upload of ${name}`}
          aria-valuetext={progressText(state.sent, size)}
        />
      )}
    </li>
  );
}

function UploadState({ upload: { state, size } }: { upload: Upload }) {
  switch (state.kind) {
    case 'exists':
      return (
        <p class="upload-state">
          There is such an object already ({formatBytes(state.object.size)}, of{' '}
          {formatTime(state.object.time)}). Replace it?
        </p>
      );
    case 'failed':
      return (
        <p class="upload-state failure" role="alert">
          {explain(state.error)}
        </p>
      );
    case 'sending':
      return (
        <p class="upload-state">
          {state.sent < size ? progressText(state.sent, size) : 'Being stored …'}
        </p>
      );
    default:
      return (
        <p class="upload-state">
          {formatBytes(size)}, {WORDS[state.kind]}
        </p>
      );
  }
}

const WORDS = {
  waiting: 'waiting',
  checking: 'looking whether it is there already',
  done: 'uploaded',
  cancelled: 'cancelled: nothing was stored',
  skipped: 'skipped',
} as const;

function progressText(sent: number, size: number): string {
  return `${formatBytes(sent)} of ${formatBytes(size)}, ${percentOf(sent, size)} %`;
}

function decideAll(asked: readonly Upload[], answer: 'replace' | 'skip'): void {
  for (const { id } of asked) uploads.decide(id, answer);
}

function retryAll(failed: readonly Upload[]): void {
  for (const { id } of failed) uploads.retry(id);
}

function cancelAll(): void {
  for (const { id, state } of uploads.uploads.value) if (!isOver(state)) uploads.cancel(id);
}

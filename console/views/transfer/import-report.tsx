import { countOf } from '../../parts/amounts.ts';
import { explain } from '../../parts/explain.ts';
import { StoredText, shortened } from '../../parts/stored-text.tsx';
import { href } from '../../router.ts';
import { Counts } from './counts.tsx';
import { type Ended, resetImport } from './import-state.ts';
import { Problems } from './problems.tsx';

export function ImportReport({ state }: { state: Ended }) {
  const { file, counts, isWhole, error, isUncertain } = state;
  const { prefix, refused } = counts;
  const stored = countOf(counts.created + counts.replaced, 'document');
  return (
    <>
      {isWhole ? (
        <p role="status">
          <StoredText text={file.name} /> is imported: {stored} stored.
        </p>
      ) : (
        <p class="notice" role="status">
          The import has ended before the end of the file: {stored} stored, which stay. To complete
          it, import the file again, and skip or replace what exists.
        </p>
      )}
      {error !== undefined && (
        <p class="notice error" role="alert">
          {explain(error)}
          {isUncertain && ' The last batch was not answered: it may be stored, too.'}
        </p>
      )}
      <Counts counts={counts} />
      {refused.count > 0 && <Problems title="Lines that were refused" problems={refused} />}
      <div class="toolbar">
        {prefix !== undefined && (
          <a href={href('documents', { prefix: prefix === '' ? undefined : prefix })}>
            Show the documents
            {prefix !== '' && (
              <>
                {' '}
                that begin with <StoredText text={shortened(prefix)} />
              </>
            )}
          </a>
        )}
        <button type="button" onClick={resetImport}>
          Import another file
        </button>
      </div>
    </>
  );
}

import { useState } from 'preact/hooks';
import { countOf, formatBytes, formatCount } from '../../parts/amounts.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import type { ConflictRule } from './batch-writer.ts';
import { startImport } from './import-job.ts';
import { type Checked, type Checking, resetImport } from './import-state.ts';
import { Problems } from './problems.tsx';

export function ImportChecking({ state: { file, done, documents } }: { state: Checking }) {
  return (
    <>
      <p>
        Checking <StoredText text={file.name} /> …
      </p>
      <progress aria-label="Check" max={file.size} value={done} />
      <p class="numbers">
        {countOf(documents, 'document')}, {formatBytes(done)} of {formatBytes(file.size)}
      </p>
      <div class="toolbar">
        <button type="button" onClick={resetImport}>
          Cancel
        </button>
      </div>
    </>
  );
}

const RULES: readonly { rule: ConflictRule; label: string }[] = [
  { rule: 'replace', label: 'Replace the document' },
  { rule: 'skip', label: 'Skip the line, and leave the document as it is' },
  { rule: 'fail', label: 'Refuse the line, and tell so at the end' },
];

export function ImportChecked({ state: { file, checked } }: { state: Checked }) {
  const [rule, setRule] = useState<ConflictRule>('replace');
  const { documents, lines, broken, repeated } = checked;

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void startImport(file, lines, rule);
  }

  return (
    <form onSubmit={submit}>
      <p role="status">
        <StoredText text={file.name} /> has {countOf(documents, 'document')} in{' '}
        {countOf(lines, 'line')} ({formatBytes(file.size)}). Nothing is stored yet.
      </p>
      {repeated > 0 && <Repeated checked={checked} />}
      {!checked.knowsAllKeys && (
        <p class="hint">There are so many keys that not all were compared with one another.</p>
      )}
      {broken.count > 0 && (
        <>
          <p class="notice error">
            {documents > 0 ? 'An import would leave out ' : 'There is no document in it, but '}
            {countOf(broken.count, 'broken line')}:
          </p>
          <Problems title="Lines that cannot be imported" problems={broken} />
        </>
      )}
      {documents > 0 && (
        <fieldset>
          <legend>When a key exists already</legend>
          {RULES.map(({ rule: value, label }) => (
            <label key={value} class="inline">
              <input
                type="radio"
                name="rule"
                checked={rule === value}
                onChange={() => setRule(value)}
              />
              {label}
            </label>
          ))}
        </fieldset>
      )}
      <div class="toolbar">
        {documents > 0 && (
          <button type="submit" class="primary">
            Import {countOf(documents, 'document')}
          </button>
        )}
        <button type="button" onClick={resetImport}>
          Choose another file
        </button>
      </div>
    </form>
  );
}

function Repeated({ checked: { repeated, firstRepeated } }: Pick<Checked, 'checked'>) {
  const named = firstRepeated.map(formatCount).join(', ');
  return (
    <p class="notice">
      There {repeated === 1 ? 'is' : 'are'} {countOf(repeated, 'line')} with a key that an earlier
      line has (line {named}
      {repeated > firstRepeated.length ? ', …' : ''}): for the later one it exists already.
    </p>
  );
}

import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { MAX_GRANTS } from '../../../shared/limits.ts';
import { coverOf } from './grant-words.ts';
import { type DraftGrant, nextRowId } from './user-draft.ts';
import { Worded } from './worded.tsx';

interface GrantsEditorProps {
  readonly grants: readonly DraftGrant[];
  readonly problems: ReadonlyMap<number, string>;
  readonly onChange: (grants: readonly DraftGrant[]) => void;
}

export function GrantsEditor({ grants, problems, onChange }: GrantsEditorProps) {
  const list = useRef<HTMLUListElement>(null);
  const adding = useRef<HTMLButtonElement>(null);
  const isAdded = useRef(false);
  // At once: what is typed next belongs there.
  useLayoutEffect(() => {
    if (!isAdded.current) return;
    isAdded.current = false;
    list.current?.querySelector<HTMLInputElement>('li:last-child input')?.focus();
  }, [grants]);

  function add(): void {
    isAdded.current = true;
    onChange([...grants, { id: nextRowId(grants), prefix: '', access: 'read' }]);
  }

  function change(changed: DraftGrant): void {
    onChange(grants.map((grant) => (grant.id === changed.id ? changed : grant)));
  }

  function remove(id: number): void {
    onChange(grants.filter((grant) => grant.id !== id));
    adding.current?.focus();
  }

  return (
    <fieldset class="grants">
      <legend>Grants</legend>
      <p class="hint">
        A grant covers each document whose <code>data/KEY</code> begins with its prefix, and each
        object whose <code>BUCKET/KEY</code> does: <code>data/players/</code>, or{' '}
        <code>uploads/</code>. Write includes read.
      </p>
      {grants.length === 0 && <p>There is none yet: this member sees nothing but own keys.</p>}
      {grants.length > 0 && (
        <ul ref={list} class="plain">
          {grants.map((grant, index) => (
            <GrantRow
              key={grant.id}
              number={index + 1}
              grant={grant}
              problem={problems.get(grant.id)}
              onChange={change}
              onRemove={() => remove(grant.id)}
            />
          ))}
        </ul>
      )}
      <div>
        <button ref={adding} type="button" disabled={grants.length >= MAX_GRANTS} onClick={add}>
          Add a grant
        </button>
      </div>
    </fieldset>
  );
}

function GrantRow(props: {
  number: number;
  grant: DraftGrant;
  problem: string | undefined;
  onChange: (grant: DraftGrant) => void;
  onRemove: () => void;
}) {
  const { number, grant, problem, onChange, onRemove } = props;
  const id = useId();
  const { covers, warning } = coverOf(grant.prefix);
  return (
    <li>
      <div class="beside">
        <input
          class="mono"
          aria-label={`Prefix of grant ${number}`}
          aria-describedby={id}
          aria-invalid={problem !== undefined}
          placeholder="data/players/"
          autocapitalize="off"
          autocomplete="off"
          spellcheck={false}
          value={grant.prefix}
          onInput={({ currentTarget }) => onChange({ ...grant, prefix: currentTarget.value })}
        />
        <select
          aria-label={`Access of grant ${number}`}
          value={grant.access}
          onChange={({ currentTarget }) =>
            onChange({ ...grant, access: currentTarget.value === 'write' ? 'write' : 'read' })
          }
        >
          <option value="read">Read</option>
          <option value="write">Write</option>
        </select>
        <button type="button" aria-label={`Remove grant ${number}`} onClick={onRemove}>
          Remove
        </button>
      </div>
      <div id={id} class="breaks" aria-live="polite">
        {problem !== undefined && <p class="problem">{problem}</p>}
        <p class="hint">
          Covers <Worded words={covers} />.
        </p>
        {warning && (
          <p class="warning">
            <Worded words={warning} />
          </p>
        )}
      </div>
    </li>
  );
}

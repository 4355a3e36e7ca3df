import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { listUsers, putUser } from '../../api/users.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { announce } from '../../parts/toasts.tsx';
import { visible } from '../../parts/visible.ts';
import { Field, focusProblem } from './field.tsx';
import {
  type DraftProblems,
  EMPTY_DRAFT,
  hasProblems,
  inputOf,
  NO_PROBLEMS,
  problemsOf,
} from './user-draft.ts';
import { UserFields } from './user-fields.tsx';

export function AddUser(props: { onAdded: (name: string) => Promise<void>; onClose: () => void }) {
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [problems, setProblems] = useState<DraftProblems>(NO_PROBLEMS);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const name = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => name.current?.focus(), []);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    const found = problemsOf(draft, true);
    setProblems(found);
    setError(undefined);
    if (hasProblems(found)) return focusProblem(form.current);
    setBusy(true);
    try {
      // A PUT would change a user who is there already.
      if ((await listUsers()).some((user) => user.name === draft.name)) {
        setProblems({ ...found, name: 'There is a user of this name already: choose another.' });
        focusProblem(form.current);
      } else {
        await putUser(draft.name, inputOf(draft));
        announce({ text: `The user ${visible(draft.name)} was added.` });
        await props.onAdded(draft.name);
        return;
      }
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  }

  return (
    <form ref={form} class="panel" aria-label="Add a user" noValidate onSubmit={submit}>
      <h2>Add a user</h2>
      <Field
        label="Name"
        hint="Up to 64 characters, none of them a colon. It cannot be changed later."
        problem={problems.name}
        control={(attributes) => (
          <input
            {...attributes}
            ref={name}
            autocapitalize="off"
            autocomplete="off"
            spellcheck={false}
            value={draft.name}
            onInput={({ currentTarget }) => setDraft({ ...draft, name: currentTarget.value })}
          />
        )}
      />
      <UserFields draft={draft} problems={problems} onChange={setDraft} />
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="button" onClick={props.onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? 'Adding …' : 'Add the user'}
        </button>
      </div>
    </form>
  );
}

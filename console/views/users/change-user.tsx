import { useEffect, useRef, useState } from 'preact/hooks';
import type { User } from '../../api/user.ts';
import { listUsers, putUser } from '../../api/users.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { announce } from '../../parts/toasts.tsx';
import { visible } from '../../parts/visible.ts';
import { current, renewPassword, signOut } from '../../session.ts';
import { focusProblem } from './field.tsx';
import {
  draftOf,
  hasProblems,
  inputOf,
  isChanged,
  isSameUser,
  NO_PROBLEMS,
  problemsOf,
} from './user-draft.ts';
import { UserFields } from './user-fields.tsx';
import { UserGrants } from './user-grants.tsx';

const DEMOTED = 'You are a member now: sign in again to see what your grants cover.';

interface ChangeUserProps {
  readonly user: User;
  readonly onChanged: () => Promise<void>;
}

export function ChangeUser({ user, onChanged }: ChangeUserProps) {
  /** What the form began with. */
  const [before, setBefore] = useState(user);
  const [draft, setDraft] = useState(() => draftOf(user));
  const [problems, setProblems] = useState(NO_PROBLEMS);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  /** What somebody else has made of the user meanwhile. */
  const [theirs, setTheirs] = useState<User>();
  const [isLeaving, setLeaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const latest = useRef(draft);
  latest.current = draft;
  const isOwn = user.name === current().username;

  function begin(stored: User): void {
    setBefore(stored);
    setDraft(draftOf(stored));
    setTheirs(undefined);
    setProblems(NO_PROBLEMS);
  }

  // What was read again is taken over, unless there is something in the form that it would undo.
  useEffect(() => {
    if (!isSameUser(user, before) && !isChanged(draft, before)) begin(user);
  }, [user]);

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (isBusy || !isChanged(draft, before)) return;
    const found = problemsOf(draft, false);
    setProblems(found);
    if (hasProblems(found)) focusProblem(form.current);
    else if (isOwn && before.role === 'admin' && draft.role === 'member') setLeaving(true);
    else void save(before);
  }

  /** `known` is what may be replaced. */
  async function save(known: User): Promise<void> {
    setBusy(true);
    setError(undefined);
    setTheirs(undefined);
    try {
      const stored = (await listUsers()).find(({ name }) => name === user.name);
      // A PUT would make the user anew.
      if (!stored) throw new Error('This user was deleted meanwhile: nothing was saved.');
      if (isSameUser(stored, known)) await store(known);
      else setTheirs(stored);
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  }

  async function store(known: User): Promise<void> {
    const input = inputOf(draft, known);
    const put = async (): Promise<void> => {
      const stored = await putUser(user.name, input);
      begin(stored);
      // What was typed meanwhile stays.
      setDraft(latest.current === draft ? draftOf(stored) : latest.current);
    };
    if (isOwn && input.role === 'member') {
      await putUser(user.name, input);
      signOut(DEMOTED);
      return;
    }
    if (isOwn && input.password !== undefined) await renewPassword(input.password, put);
    else await put();
    announce({ text: `The user ${visible(user.name)} was changed.` });
    await onChanged();
  }

  return (
    <form ref={form} aria-label="Change the user" noValidate onSubmit={submit}>
      <UserFields draft={draft} problems={problems} keepsPassword onChange={setDraft} />
      {theirs && (
        <div class="notice" role="alert">
          <p>
            Somebody else has changed this user meanwhile. Stored now: <UserGrants user={theirs} />
          </p>
          <button type="button" onClick={() => begin(theirs)}>
            Take what is stored
          </button>
          <button type="button" class="danger" onClick={() => void save(theirs)}>
            Save mine in its place
          </button>
        </div>
      )}
      <ErrorNotice error={error} />
      <div class="actions">
        <button
          type="button"
          aria-disabled={!isChanged(draft, before)}
          onClick={() => begin(before)}
        >
          Revert
        </button>
        <button type="submit" class="primary" aria-disabled={isBusy || !isChanged(draft, before)}>
          {isBusy ? 'Saving …' : 'Save'}
        </button>
      </div>
      {isLeaving && (
        <Confirm
          title="Become a member?"
          text={
            <>
              You, <StoredText text={user.name} />, will be a member and signed out: only another
              admin can make you an admin again.
            </>
          }
          action="Become a member"
          onClose={() => setLeaving(false)}
          onConfirm={() => {
            setLeaving(false);
            void save(before);
          }}
        />
      )}
    </form>
  );
}

import { useRef, useState } from 'preact/hooks';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { createAccessKey, type KeyPair } from '../../api/access-keys.ts';
import type { User } from '../../api/user.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { visible } from '../../parts/visible.ts';
import { Field, focusProblem } from './field.tsx';
import { accessKeyIdProblem, secretProblem } from './user-rules.ts';

/** Asks what is to be made, and then shows the secret, once. */
export function MakeKey(props: {
  user: string;
  /** Those to choose from; without them the key is that user's. */
  users?: readonly User[];
  onMade: () => Promise<void>;
}) {
  const { user, users, onMade } = props;
  const [isOpen, setOpen] = useState(false);
  const [pair, setPair] = useState<KeyPair>();
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button ref={opener} type="button" onClick={() => setOpen(true)}>
        Make an access key
      </button>
      {isOpen && (
        <Dialog title="Make an access key" onClose={() => setOpen(false)}>
          <KeyForm
            user={user}
            users={users}
            onClose={() => setOpen(false)}
            onMade={(made) => {
              setOpen(false);
              setPair(made);
              void onMade();
            }}
          />
        </Dialog>
      )}
      {pair && (
        <Dialog title="The new access key" opener={opener} onClose={() => setPair(undefined)}>
          <Secret pair={pair} onClose={() => setPair(undefined)} />
        </Dialog>
      )}
    </>
  );
}

function KeyForm(props: {
  user: string;
  users: readonly User[] | undefined;
  onMade: (pair: KeyPair) => void;
  onClose: () => void;
}) {
  const { users, onMade, onClose } = props;
  const [user, setUser] = useState(props.user);
  const [accessKeyId, setId] = useState('');
  const [secretAccessKey, setSecret] = useState('');
  const [problems, setProblems] = useState<{
    id?: string | undefined;
    secret?: string | undefined;
  }>({});
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    const found = { id: accessKeyIdProblem(accessKeyId), secret: secretProblem(secretAccessKey) };
    setProblems(found);
    setError(undefined);
    if (found.id !== undefined || found.secret !== undefined) return focusProblem(form.current);
    setBusy(true);
    try {
      const own = {
        ...(accessKeyId === '' ? {} : { accessKeyId }),
        ...(secretAccessKey === '' ? {} : { secretAccessKey }),
      };
      onMade(await createAccessKey({ user, ...own }));
    } catch (reason) {
      setBusy(false);
      if (isIdTaken(reason)) {
        setProblems({ id: reason.message });
        focusProblem(form.current);
      } else setError(reason);
    }
  }

  return (
    <form ref={form} noValidate onSubmit={submit}>
      {users ? (
        <Field
          label="For the user"
          control={(attributes) => (
            <select
              {...attributes}
              value={user}
              onChange={({ currentTarget }) => setUser(currentTarget.value)}
            >
              {users.map(({ name }) => (
                <option key={name} value={name}>
                  {visible(name)}
                </option>
              ))}
            </select>
          )}
        />
      ) : (
        <p class="breaks">
          For the user <StoredText text={user} />.
        </p>
      )}
      <Field
        label="Id"
        hint="Left empty, one is made. Else 3 to 128 letters, digits, dots, hyphens and underscores."
        problem={problems.id}
        control={(attributes) => (
          <input
            {...attributes}
            class="mono"
            autocapitalize="off"
            autocomplete="off"
            spellcheck={false}
            value={accessKeyId}
            onInput={({ currentTarget }) => setId(currentTarget.value)}
          />
        )}
      />
      <Field
        label="Secret"
        hint="Left empty, a strong one is made. Else 8 to 128 characters of ASCII without spaces."
        problem={problems.secret}
        control={(attributes) => (
          <input
            {...attributes}
            class="mono"
            type="password"
            autocomplete="new-password"
            value={secretAccessKey}
            onInput={({ currentTarget }) => setSecret(currentTarget.value)}
          />
        )}
      />
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? 'Making …' : 'Make the key'}
        </button>
      </div>
    </form>
  );
}

function Secret({ pair, onClose }: { pair: KeyPair; onClose: () => void }) {
  return (
    <>
      <p>
        For the user <StoredText text={pair.user} />. The secret is shown only here: once this is
        closed, nobody can see it again.
      </p>
      <dl class="pair">
        <dt>Id</dt>
        <dd>
          <code class="breaks">{pair.accessKeyId}</code>
          <CopyButton text={pair.accessKeyId} what="Id" isBeside />
        </dd>
        <dt>Secret</dt>
        <dd>
          <code class="breaks">{pair.secretAccessKey}</code>
          <CopyButton text={pair.secretAccessKey} what="Secret" isBeside />
        </dd>
      </dl>
      <div class="actions">
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  );
}

function isIdTaken(reason: unknown): reason is KeystowClientError {
  return (
    reason instanceof KeystowClientError &&
    reason.code === 'conflict' &&
    reason.message.includes('choose another id')
  );
}

import { CopyButton } from '../../parts/copy-button.tsx';
import { Field } from './field.tsx';
import { GrantsEditor } from './grants-editor.tsx';
import { strongPassword } from './strong-password.ts';
import type { DraftProblems, UserDraft } from './user-draft.ts';

export interface UserFieldsProps {
  readonly draft: UserDraft;
  readonly problems: DraftProblems;
  /** Undefined: the user is new. */
  readonly keepsPassword?: boolean;
  readonly onChange: (draft: UserDraft) => void;
}

/** What new and present users have in common: role, password, grants. */
export function UserFields({ draft, problems, keepsPassword = false, onChange }: UserFieldsProps) {
  return (
    <>
      <Field
        label="Role"
        hint={
          draft.role === 'admin'
            ? 'An admin may do everything. Grants count again once the role is member.'
            : 'A member may do what the grants below allow, and nothing else.'
        }
        control={(attributes) => (
          <select
            {...attributes}
            value={draft.role}
            onChange={({ currentTarget }) =>
              onChange({ ...draft, role: currentTarget.value === 'admin' ? 'admin' : 'member' })
            }
          >
            <option value="member">Member</option>
            <option value="admin">Admin</option>
          </select>
        )}
      />
      <PasswordField
        draft={draft}
        problem={problems.password}
        keepsPassword={keepsPassword}
        onChange={onChange}
      />
      {draft.role === 'member' && (
        <GrantsEditor
          grants={draft.grants}
          problems={problems.grants}
          onChange={(grants) => onChange({ ...draft, grants })}
        />
      )}
    </>
  );
}

/** What is typed is hidden. What was generated nobody has seen yet: it is shown until it is saved. */
function PasswordField(props: {
  draft: UserDraft;
  problem: string | undefined;
  keepsPassword: boolean;
  onChange: (draft: UserDraft) => void;
}) {
  const { draft, problem, keepsPassword, onChange } = props;
  const hint = keepsPassword
    ? 'Left empty, the password stays as it is.'
    : '1 to 72 bytes of UTF-8: letters of ASCII are one byte, others are more.';
  return (
    <Field
      label={keepsPassword ? 'New password' : 'Password'}
      problem={problem}
      hint={draft.isGenerated ? <Generated password={draft.password} /> : hint}
      control={(attributes) => (
        <div class="beside">
          <input
            {...attributes}
            type="password"
            autocomplete="new-password"
            value={draft.password}
            onInput={({ currentTarget }) =>
              onChange({ ...draft, password: currentTarget.value, isGenerated: false })
            }
          />
          <button
            type="button"
            onClick={() => onChange({ ...draft, password: strongPassword(), isGenerated: true })}
          >
            Generate
          </button>
        </div>
      )}
    />
  );
}

function Generated({ password }: { password: string }) {
  return (
    <span class="generated">
      <code>{password}</code>
      <CopyButton text={password} what="Password" isBeside />
      <span>Copy it now: it is shown only here, and only until you save.</span>
    </span>
  );
}

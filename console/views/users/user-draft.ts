import type { Access, Grant, Role, User, UserInput } from '../../api/user.ts';
import { nameProblem, passwordProblem, prefixProblem } from './user-rules.ts';

/** What a form holds of a user before it is saved. */
export interface UserDraft {
  readonly name: string;
  readonly role: Role;
  /** Empty: a present user keeps the old one. */
  readonly password: string;
  /** Made by the console, so it is shown. */
  readonly isGenerated: boolean;
  readonly grants: readonly DraftGrant[];
}

export interface DraftGrant {
  /** Of its row, as prefixes may be the same for a while. */
  readonly id: number;
  readonly prefix: string;
  readonly access: Access;
}

/** Beside their fields. */
export interface DraftProblems {
  readonly name?: string | undefined;
  readonly password?: string | undefined;
  /** By the row's id. */
  readonly grants: ReadonlyMap<number, string>;
}

export const NO_PROBLEMS: DraftProblems = { grants: new Map() };
export const EMPTY_DRAFT: UserDraft = {
  name: '',
  role: 'member',
  password: '',
  isGenerated: false,
  grants: [],
};

export function draftOf({ name, role, grants }: User): UserDraft {
  const rows = grants.map(({ prefix, access }, id) => ({ id, prefix, access }));
  return { ...EMPTY_DRAFT, name, role, grants: rows };
}

export function nextRowId(grants: readonly DraftGrant[]): number {
  return Math.max(-1, ...grants.map(({ id }) => id)) + 1;
}

export function problemsOf(draft: UserDraft, isNew: boolean): DraftProblems {
  const grants = new Map<number, string>();
  // Those of an admin are neither shown nor sent.
  for (const { id, prefix } of draft.role === 'admin' ? [] : draft.grants) {
    const problem = prefixProblem(prefix);
    if (problem !== undefined) grants.set(id, problem);
  }
  return {
    name: isNew ? nameProblem(draft.name) : undefined,
    password: isNew || draft.password !== '' ? passwordProblem(draft.password) : undefined,
    grants,
  };
}

export function hasProblems({ name, password, grants }: DraftProblems): boolean {
  return name !== undefined || password !== undefined || grants.size > 0;
}

/** What is sent: of a present user, only what is not as it was. */
export function inputOf(draft: UserDraft, before?: User): UserInput {
  return {
    role: draft.role,
    ...(isWithOwnGrants(draft, before) ? { grants: grantsOf(draft) } : {}),
    ...(draft.password === '' ? {} : { password: draft.password }),
  };
}

export function isChanged(draft: UserDraft, before: User): boolean {
  return draft.password !== '' || draft.role !== before.role || isWithOwnGrants(draft, before);
}

function isWithOwnGrants(draft: UserDraft, before: User | undefined): boolean {
  return draft.role === 'member' && !isSameGrants(grantsOf(draft), before?.grants ?? []);
}

export function isSameUser(left: User, right: User): boolean {
  return left.role === right.role && isSameGrants(left.grants, right.grants);
}

function grantsOf({ grants }: UserDraft): Grant[] {
  return grants.map(({ prefix, access }) => ({ prefix, access }));
}

function isSameGrants(left: readonly Grant[], right: readonly Grant[]): boolean {
  return (
    left.length === right.length &&
    left.every(
      ({ prefix, access }, at) => prefix === right[at]?.prefix && access === right[at]?.access,
    )
  );
}

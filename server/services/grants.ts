import { KeystowError } from '../../shared/errors.ts';

/** Who may do what. Resources are named `data/KEY` and, for objects, `BUCKET/KEY`. */

export type Access = 'read' | 'write';

export interface Grant {
  readonly prefix: string;
  readonly access: Access;
}

export type Role = 'admin' | 'member';

/** Who sent a request, as the user's record said when the credentials were verified. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
  readonly grants: readonly Grant[];
  /** The version of the user's record: writes check that it is still this one. */
  readonly version: number;
}

export function isAllowed(principal: Principal, access: Access, resource: string): boolean {
  if (principal.role === 'admin') return true;
  return principal.grants.some(
    (grant) => (grant.access === 'write' || access === 'read') && resource.startsWith(grant.prefix),
  );
}

/** Throws `forbidden`, whether or not the resource exists. */
export function checkAllowed(principal: Principal, access: Access, resource: string): void {
  if (isAllowed(principal, access, resource)) return;
  throw new KeystowError(
    'forbidden',
    `The user ${principal.name} has no grant to ${access} ${resource}: ask an admin for one.`,
  );
}

export function checkAdmin(principal: Principal): void {
  if (principal.role !== 'admin') throw new KeystowError('forbidden', 'Only an admin may do this.');
}

/**
 * The part of the resources below `within` that the principal may read, as prefixes in byte order
 * none of which contains another: what lists and exports walk through.
 */
export function readablePrefixes(principal: Principal, within: string): string[] {
  if (principal.role === 'admin') return [within];
  const prefixes = principal.grants
    .filter(({ prefix }) => prefix.startsWith(within) || within.startsWith(prefix))
    .map(({ prefix }) => (prefix.length > within.length ? prefix : within));
  const sorted = [...new Set(prefixes)].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const disjoint: string[] = [];
  for (const prefix of sorted) {
    const last = disjoint.at(-1);
    if (last === undefined || !prefix.startsWith(last)) disjoint.push(prefix);
  }
  return disjoint;
}

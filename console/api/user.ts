/** A user as `/api/users` has one. */

export type Role = 'admin' | 'member';
export type Access = 'read' | 'write';

export interface Grant {
  /** What `data/KEY` or `BUCKET/KEY` begins with. */
  readonly prefix: string;
  /** Write includes read. */
  readonly access: Access;
}

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly grants: readonly Grant[];
}

export interface UserInput {
  readonly role: Role;
  /** Those of a present user stay unless some are given. */
  readonly grants?: readonly Grant[];
  /** A new user needs one; a present one keeps the old one without it. */
  readonly password?: string;
}

import { findProgram } from '../processes.ts';

/** What a peer needs to be installed. */
export interface Needs {
  /** As the table names it. */
  readonly name: string;
  /** Programs that must be on PATH, and the Debian package of each. */
  readonly needs: readonly { readonly program: string; readonly aptPackage: string }[];
}

export function missingPackages({ needs }: Needs): string[] {
  return needs
    .filter(({ program }) => findProgram(program) === undefined)
    .map(({ aptPackage }) => aptPackage);
}

export function isInstalled(peer: Needs): boolean {
  return missingPackages(peer).length === 0;
}

import type { JsonValue } from './codec.ts';

export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: JsonValue;
}

/** One of the three formats; a string is the patch as JSON text, whose numbers are kept as written. */
export type Patch =
  /** The top-level members to set. */
  | { readonly set: Readonly<Record<string, JsonValue>> | string }
  /** RFC 7396: members merge deeply, null removes. */
  | { readonly merge: Readonly<Record<string, JsonValue>> | string }
  /** RFC 6902. */
  | { readonly operations: readonly PatchOperation[] | string };

export function preconditions({ ifMatch }: { ifMatch?: string | undefined }) {
  return ifMatch === undefined ? {} : { 'if-match': ifMatch };
}

export function patchBody(patch: Patch): { body: string; contentType: string } {
  if ('set' in patch) return { body: textOf(patch.set), contentType: 'application/json' };
  if ('merge' in patch) {
    return { body: textOf(patch.merge), contentType: 'application/merge-patch+json' };
  }
  return { body: textOf(patch.operations), contentType: 'application/json-patch+json' };
}

function textOf(patch: object | string): string {
  return typeof patch === 'string' ? patch : JSON.stringify(patch);
}

import type { Member } from '../../stores/commit-queue.ts';
import type { KvCheck } from '../../stores/kv-store.ts';

/** A batch as `keystow_commit` takes it: see migrations.ts. */

const CHECK = 0;
const PUT = 1;
const DELETE = 2;
/** Keystow has no checksums of its own here: that is `data_checksums` of PostgreSQL. */
const NEVER = -1;

export interface BatchOperations {
  readonly members: number[];
  readonly kinds: number[];
  readonly keys: Buffer[];
  readonly versions: (number | null)[];
  readonly values: (Buffer | null)[];
}

export function batchOperations(members: readonly Member[]): BatchOperations {
  const operations: BatchOperations = {
    members: [],
    kinds: [],
    keys: [],
    versions: [],
    values: [],
  };
  const add = (
    member: number,
    kind: number,
    key: string,
    version: number | null,
    value: Buffer | null,
  ): void => {
    operations.members.push(member);
    operations.kinds.push(kind);
    operations.keys.push(Buffer.from(key));
    operations.versions.push(version);
    operations.values.push(value);
  };
  for (const [index, { checks, mutations }] of members.entries()) {
    for (const { key, version } of checks) add(index + 1, CHECK, key, versionOf(version), null);
    for (const mutation of mutations) {
      if (mutation.type === 'put') add(index + 1, PUT, mutation.key, null, mutation.value);
      else add(index + 1, DELETE, mutation.key, null, null);
    }
  }
  return operations;
}

function versionOf(version: KvCheck['version']): number | null {
  return version === 'damaged' ? NEVER : version;
}

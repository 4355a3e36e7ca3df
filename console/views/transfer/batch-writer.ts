import { type BatchFailure, KeystowClientError } from '../../../shared/client/index.ts';
import type { BatchMember } from '../../api/batch-member.ts';
import type { ImportMember } from './batches.ts';
import type { Problem } from './problem-list.ts';

/** What to do with a key that exists: the rules of the command line's import. */
export type ConflictRule = 'replace' | 'skip' | 'fail';

export interface Written {
  readonly created: number;
  readonly replaced: number;
  readonly skipped: number;
  readonly refused: readonly Problem[];
}

export interface WriterOptions {
  readonly rule: ConflictRule;
  /** Stores all of it, or resolves with what failed. */
  readonly send: (members: readonly BatchMember[]) => Promise<readonly BatchFailure[]>;
  /** Whether the document was written with this text since the import began. */
  readonly isOurs: (member: BatchMember) => Promise<boolean>;
  /** Waits before another attempt; rejects where there is to be none. */
  readonly again: (error: unknown, attempt: number) => Promise<void>;
}

const NOTHING: Written = { created: 0, replaced: 0, skipped: 0, refused: [] };

type Pending = ImportMember & BatchMember;

/** Each further attempt means that others have created or deleted one of the documents meanwhile. */
const MOST_ATTEMPTS = 20;

/**
 * Makes the function that stores a batch as the rule says. Which keys exist is not asked: the failures of an
 * attempt tell, and what they leave is sent anew.
 */
export function createBatchWriter({ rule, send, isOurs, again }: WriterOptions) {
  // An import mostly meets either an empty store or a full one: what worked last is tried first.
  let method: BatchMember['method'] = 'POST';

  return (members: readonly ImportMember[]): Promise<Written> =>
    store(members.map((member) => ({ ...member, method })));

  async function store(members: readonly Pending[]): Promise<Written> {
    const refused: Problem[] = [];
    let skipped = 0;
    let left = members;
    for (let attempt = 0; left.length > 0; attempt += 1) {
      const failures = await patiently(left);
      if (failures === undefined) {
        const rest = await storeInHalves(left);
        return sum([{ ...NOTHING, skipped, refused }, rest]);
      }
      if (failures.size === 0) break;
      left = left.flatMap((member) => {
        const failure = failures.get(member);
        if (!failure) return [member];
        if (isMissing(member, failure)) return [{ ...member, method: 'POST' }];
        const doesExist = isPresent(member, failure);
        if (doesExist && rule === 'replace') return [{ ...member, method: 'PUT' }];
        if (doesExist && rule === 'skip') skipped += 1;
        else refused.push({ line: member.line, key: member.key, reason: failure.message });
        return [];
      });
      if (attempt < MOST_ATTEMPTS) continue;
      throw new Error('Others write the documents of this import all the time: try it later.');
    }
    const replaced = left.filter((member) => member.method === 'PUT').length;
    if (rule === 'replace' && left.length > 0) {
      method = replaced > left.length / 2 ? 'PUT' : 'POST';
    }
    return { created: left.length - replaced, replaced, skipped, refused };
  }

  /** Of a batch that a proxy takes for too large. */
  async function storeInHalves(members: readonly Pending[]): Promise<Written> {
    const [only] = members;
    if (only && members.length === 1) {
      const reason =
        'The server, or a proxy before it, takes no request as large as this document.';
      return { ...NOTHING, refused: [{ line: only.line, key: only.key, reason }] };
    }
    const middle = Math.ceil(members.length / 2);
    const first = await store(members.slice(0, middle));
    return sum([first, await store(members.slice(middle))]);
  }

  /** What failed; undefined where the request is too large. */
  async function patiently(members: readonly Pending[]): Promise<Failures | undefined> {
    let mayBeDone = false;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const failures = await sendWhole(members);
        return mayBeDone && (await wasDone(members, failures)) ? new Map() : failures;
      } catch (error) {
        if (error instanceof KeystowClientError && error.status === 413) return undefined;
        mayBeDone ||= mayHaveStored(error);
        await again(error, attempt);
      }
    }
  }

  async function sendWhole(members: readonly Pending[]): Promise<Failures> {
    const failures: Failures = new Map();
    for (const failure of await send(members)) {
      const member = members[failure.index];
      if (member) failures.set(member, failure);
    }
    return failures;
  }

  /** A batch whose answer was lost meets itself: then all that it was to create is there, and is its own. */
  async function wasDone(members: readonly Pending[], failures: Failures): Promise<boolean> {
    const creations = members.filter((member) => member.method === 'POST');
    const [first] = creations;
    if (!first) return false;
    const areThere = creations.every((member) => {
      const failure = failures.get(member);
      return failure && isPresent(member, failure);
    });
    return areThere && failures.size === creations.length && isOurs(first);
  }
}

type Failures = Map<Pending, BatchFailure>;

function isPresent({ method }: Pending, { code }: BatchFailure): boolean {
  return method === 'POST' && code === 'already-exists';
}

function isMissing({ method }: Pending, { code }: BatchFailure): boolean {
  return method === 'PUT' && code === 'not-found';
}

/** Without an answer of Keystow's own, nobody knows. */
export function mayHaveStored(error: unknown): boolean {
  if (!(error instanceof KeystowClientError)) return false;
  return ['network', 'timeout', 'unexpected', 'internal'].includes(error.code);
}

function sum(parts: readonly Written[]): Written {
  const total = (count: (part: Written) => number): number =>
    parts.reduce((sum, part) => sum + count(part), 0);
  return {
    created: total((part) => part.created),
    replaced: total((part) => part.replaced),
    skipped: total((part) => part.skipped),
    refused: parts.flatMap((part) => part.refused),
  };
}

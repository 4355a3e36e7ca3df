import { randomBytes } from 'node:crypto';
import { MIN_PART_BYTES } from '../../shared/limits.ts';
import {
  type MultipartLedger,
  type OpenUpload,
  type PartState,
  type PendingCall,
  partState,
  partsState,
} from './multipart-ledger.ts';
import { intBetween, type Random } from './random.ts';
import type { UploadClient } from './upload-client.ts';
import { objectPath } from './upload-form.ts';

/** Shares of all calls; a part is what is sent else. */
const SHARES = [
  ['begin', 0.1],
  ['abort', 0.1],
  ['complete', 0.25],
  ['delete', 0.08],
] as const;
const MAX_OPEN = 3;
const MAX_PART_NUMBER = 4;
/** As large as a part has to be that is not the last: they take long, so there are few. */
const FULL_SHARE = 0.04;

interface Call {
  readonly pending: PendingCall;
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer;
  readonly status: number;
}

/**
 * A client of one key: makes the next call when it is called, and tells the ledger. False where the
 * server gave no answer any more.
 */
export function createMultipartWorker(options: {
  readonly client: UploadClient;
  readonly ledger: MultipartLedger;
  readonly key: string;
  readonly random: Random;
  readonly chooseBytes: (random: Random) => Buffer;
}): () => Promise<boolean> {
  const { client, ledger, key, random } = options;
  const path = objectPath(key);

  return async () => {
    const call = chooseCall();
    ledger.begin(key, call.pending);
    const answer = await client.call(call.method, call.path, call.body);
    // A status without its body says nothing yet: it would name the upload, or its failure.
    if (!answer?.isWhole) return false;
    if (answer.status !== call.status) {
      ledger.reject(key, `${call.pending.kind} was answered with ${answer.status} ${answer.text}`);
      return true;
    }
    const { pending } = call;
    if (pending.kind === 'part' && answer.etag !== pending.part.md5) {
      ledger.reject(key, `a part was acknowledged as ${answer.etag}, sent was ${pending.part.md5}`);
    }
    if (pending.kind === 'complete' && !answer.text?.includes(`"${pending.object.etag}"`)) {
      ledger.reject(key, `completed as ${answer.text}, sent was ${pending.object.etag}`);
    }
    ledger.acknowledge(key, /<UploadId>(\w+)</.exec(answer.text ?? '')?.[1]);
    return true;
  };

  function chooseCall(): Call {
    const open = [...ledger.uploads.values()].filter((upload) => upload.key === key);
    const upload = open[intBetween(random, 0, open.length - 1)];
    const kind = chooseKind(random);
    if (!upload || (kind === 'begin' && open.length < MAX_OPEN)) {
      return { pending: { kind: 'begin' }, method: 'POST', path: `${path}?uploads`, status: 200 };
    }
    const { id } = upload;
    if (kind === 'abort') {
      return { pending: { kind, id }, method: 'DELETE', path: ofUpload(id), status: 204 };
    }
    if (kind === 'complete' && upload.parts.size > 0) return complete(upload);
    if (kind === 'delete') return { pending: { kind }, method: 'DELETE', path, status: 204 };
    return putPart(id);
  }

  function ofUpload(id: string): string {
    return `${path}?uploadId=${id}`;
  }

  function putPart(id: string): Call {
    const number = intBetween(random, 1, MAX_PART_NUMBER);
    const isFull = random() < FULL_SHARE;
    const body = isFull ? randomBytes(MIN_PART_BYTES) : options.chooseBytes(random);
    return {
      pending: { kind: 'part', id, number, part: partState(body) },
      method: 'PUT',
      path: `${ofUpload(id)}&partNumber=${number}`,
      body,
      status: 200,
    };
  }

  /** With the last part of those chosen, and the full ones before it: others cannot be. */
  function complete({ id, parts }: OpenUpload): Call {
    const ascending = [...parts].sort(([one], [other]) => one - other);
    const last = intBetween(random, 0, ascending.length - 1);
    const chosen = ascending.filter(
      ([, { size }], at) => at === last || (at < last && size >= MIN_PART_BYTES),
    );
    return {
      pending: { kind: 'complete', id, object: partsState(chosen.map(([, part]) => part)) },
      method: 'POST',
      path: ofUpload(id),
      body: Buffer.from(completeXml(chosen)),
      status: 200,
    };
  }
}

function chooseKind(random: Random): PendingCall['kind'] {
  let share = random();
  for (const [kind, part] of SHARES) {
    share -= part;
    if (share < 0) return kind;
  }
  return 'part';
}

export function completeXml(
  parts: readonly (readonly [number: number, part: PartState])[],
): string {
  const members = parts.map(
    ([number, { md5 }]) => `<Part><PartNumber>${number}</PartNumber><ETag>"${md5}"</ETag></Part>`,
  );
  return `<CompleteMultipartUpload>${members.join('')}</CompleteMultipartUpload>`;
}

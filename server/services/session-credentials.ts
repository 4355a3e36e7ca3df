import { randomBytes } from 'node:crypto';
import { S3Error } from '../s3/s3-error.ts';
import type { ClaimV2, ClaimV4 } from '../s3/signature.ts';
import type { SecretBox } from './secret-box.ts';

/**
 * Short-lived credentials for one upload. All that they are lies sealed in their token: nothing is
 * stored, every node can read it, and they are gone with the access key that they come from.
 */

/** The one upload that they can do, and what it is for. */
export interface SessionUpload {
  readonly bucket: string;
  readonly key: string;
  readonly submission: Submission;
}

/** A submitted file, as its client called it. */
export interface Submission {
  readonly fileName: string;
  readonly spektrDataField?: string | undefined;
}

/** The access key that they come from. */
export interface SessionParent {
  readonly id: string;
  /** The number of its record's last write: another key that gets the same id later is not it. */
  readonly version: number;
}

interface Session {
  readonly parent: SessionParent;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly upload: SessionUpload;
}

const CONTEXT = 'session';
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What to sign with. */
export function createSession(
  options: {
    readonly parent: SessionParent;
    readonly expires: number;
    readonly upload: SessionUpload;
  },
  secretBox: SecretBox,
): { accessKeyId: string; secretAccessKey: string; securityToken: string } {
  const pair = {
    // AWS's begin so, and some tools tell them by it.
    accessKeyId: `ASIA${randomKeyId(16)}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
  const session: Session = { ...options, ...pair };
  return { ...pair, securityToken: secretBox.seal(JSON.stringify(session), CONTEXT) };
}

/**
 * The session of a claim; undefined for one without a token. Throws S3Error InvalidToken for a token
 * that is not this server's or of another pair, ExpiredToken.
 */
export function openSession(
  claim: ClaimV2 | ClaimV4,
  secretBox: SecretBox,
  now: number,
): Session | undefined {
  if (claim.securityToken === undefined) return undefined;
  let session: Session;
  try {
    session = JSON.parse(secretBox.open(claim.securityToken, CONTEXT));
  } catch (cause) {
    throw new S3Error('InvalidToken', { cause });
  }
  if (session.accessKeyId !== claim.accessKeyId) throw new S3Error('InvalidToken');
  if (now >= session.expires) throw new S3Error('ExpiredToken');
  return session;
}

/** Letters and digits as S3's have them, five random bits each. */
export function randomKeyId(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % 32]).join('');
}

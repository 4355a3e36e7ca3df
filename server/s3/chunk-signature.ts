import { createHash, type Hash } from 'node:crypto';
import { EMPTY_PAYLOAD_HASH } from './canonical-request.ts';
import { ALGORITHM_V4, credentialScope } from './credential.ts';
import { S3Error } from './s3-error.ts';
import { type CredentialScope, isSameText, signV4 } from './signature.ts';
import { type ByteText, bytesToShownText } from './uri-encoding.ts';

/**
 * The signatures of an upload in signed chunks, each of which covers the one before it, so that none
 * can be left out, repeated or moved.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export interface ChunkSignatures {
  /** More of the current chunk's data. */
  update(bytes: Uint8Array): void;
  /** Throws S3Error SignatureDoesNotMatch unless the chunk is signed so; the next one begins. */
  endChunk(signature: string): void;
  /**
   * Throws S3Error SignatureDoesNotMatch unless the trailer is signed so; `text` is
   * `name:value\n` for each of its headers, names in lower case, in the order they came.
   * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
   */
  endTrailer(text: ByteText, signature: string): void;
}

export interface ChunkSigning {
  /** As `signingKeyV4` makes it. */
  readonly signingKey: Buffer;
  readonly scope: CredentialScope;
  /** `20130524T000000Z`, the time of the request. */
  readonly amzDate: string;
  /** The request's own signature, once verified. */
  readonly seed: string;
}

export function createChunkSignatures(signing: ChunkSigning): ChunkSignatures {
  const { signingKey, amzDate } = signing;
  const scope = credentialScope(signing.scope);
  let previous = signing.seed;
  let data = createHash('sha256');

  function check(kind: string, hashes: readonly string[], provided: string): void {
    const stringToSign = [`${ALGORITHM_V4}-${kind}`, amzDate, scope, previous, ...hashes].join(
      '\n',
    );
    const signature = signV4(signingKey, stringToSign);
    if (!isSameText(signature, provided)) throw signatureDoesNotMatch(stringToSign, provided);
    previous = signature;
  }

  return {
    update: (bytes) => void data.update(bytes),
    endChunk(signature) {
      // The empty hash stands for headers, which chunks do not have.
      check('PAYLOAD', [EMPTY_PAYLOAD_HASH, hex(data)], signature);
      data = createHash('sha256');
    },
    endTrailer(text, signature) {
      check('TRAILER', [hex(createHash('sha256').update(text, 'latin1'))], signature);
    },
  };
}

function hex(hash: Hash): string {
  return hash.digest('hex');
}

function signatureDoesNotMatch(stringToSign: string, provided: string): S3Error {
  return new S3Error('SignatureDoesNotMatch', {
    extra: [
      ['StringToSign', stringToSign],
      ['SignatureProvided', bytesToShownText(provided)],
    ],
  });
}

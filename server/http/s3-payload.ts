import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createAwsChunked } from '../s3/aws-chunked.ts';
import { UNSIGNED_PAYLOAD } from '../s3/canonical-request.ts';
import { createChecksum } from '../s3/checksum.ts';
import type { ChunkSignatures } from '../s3/chunk-signature.ts';
import {
  type ChecksumAlgorithm,
  checkChecksums,
  checksumAlgorithms,
  type ExpectedChecksums,
  multipleChecksums,
  parseExpectedChecksums,
  refuseOtherAlgorithm,
  refuseOtherChecksums,
} from '../s3/expected-checksums.ts';
import { fieldValue } from '../s3/form-fields.ts';
import { invalidArgument, S3Error } from '../s3/s3-error.ts';
import { bodyBytes } from './body.ts';
import type { Context } from './context.ts';
import type { S3Headers } from './s3-headers.ts';

/** The body of an S3 request: decoded, and verified once it has been read to its end. */
export interface Payload {
  /** Undefined where only its end tells. */
  readonly length: number | undefined;
  /**
   * To be read once. Throws S3Error for a body that breaks off, is not what was signed, or has a
   * trailer that is not as announced.
   */
  bytes(): AsyncGenerator<Buffer, void>;
  /** What a trailer will say; to be asked after the last byte. */
  readonly trailer:
    | { readonly algorithm: ChecksumAlgorithm; read(): ExpectedChecksums }
    | undefined;
}

const STREAMING = 'STREAMING-';
const UNSIGNED_STREAM = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const TRAILER = '-TRAILER';

/**
 * `payloadHash` is what a signature of version 4 covers, undefined for other requests; `signatures`
 * those of a signed stream. Throws S3Error MissingContentLength, InvalidArgument or InvalidRequest for
 * headers that cannot be right.
 */
export function openPayload(
  ctx: Context,
  headers: S3Headers,
  payloadHash: string | undefined,
  signatures: () => ChunkSignatures | undefined,
): Payload {
  const get = (name: string): string | undefined => fieldValue(headers, name);
  const hash = payloadHash ?? get('x-amz-content-sha256') ?? UNSIGNED_PAYLOAD;
  const algorithm = trailerAlgorithm(hash, get);
  if (!hash.startsWith(STREAMING)) {
    return { length: rawLength(get), bytes: () => hashed(ctx, hash), trailer: undefined };
  }
  const signed = hash === UNSIGNED_STREAM ? undefined : signatures();
  if (hash !== UNSIGNED_STREAM && !signed) {
    throw new S3Error('InvalidRequest', {
      message: 'Signed chunks need a request that is signed with Signature Version 4.',
    });
  }
  const length = decodedLength(get);
  let trailer: ReadonlyMap<string, string> | undefined;
  return {
    length,
    async *bytes() {
      const trailerNames = algorithm === undefined ? [] : [checksumHeader(algorithm)];
      const chunked = createAwsChunked(bodyBytes(ctx), {
        decodedLength: length,
        signatures: signed,
        trailerNames,
      });
      yield* chunked.bytes();
      trailer = chunked.trailer();
    },
    trailer: algorithm && {
      algorithm,
      read: () => parseExpectedChecksums((name) => trailer?.get(name)),
    },
  };
}

/**
 * What the headers say that the body hashes to. Throws as parseExpectedChecksums does, and S3Error
 * InvalidRequest where `x-amz-sdk-checksum-algorithm` names what is neither there nor in the trailer.
 */
export function expectedOf(headers: S3Headers, { trailer }: Payload): ExpectedChecksums {
  refuseOtherChecksums(headers);
  const get = (name: string): string | undefined => fieldValue(headers, name);
  // It says what an upload in parts will have; minio-go sends it with every object, and S3 takes that.
  const expected = parseExpectedChecksums((name) =>
    name === 'x-amz-checksum-algorithm' ? undefined : get(name),
  );
  checkNamedAlgorithm(get, expected, trailer?.algorithm);
  return expected;
}

/** The MD5 alone, where checksums are of something else than the body. */
export function expectedMd5(headers: S3Headers): ExpectedChecksums {
  return parseExpectedChecksums((name) =>
    name === 'content-md5' ? fieldValue(headers, name) : undefined,
  );
}

/**
 * The whole body of a request whose body is XML. Throws S3Error MaxMessageLengthExceeded, BadDigest,
 * and as `bytes` does.
 */
export async function readPayload(
  payload: Payload,
  expected: ExpectedChecksums,
  maxBytes: number,
): Promise<Buffer> {
  if ((payload.length ?? 0) > maxBytes) throw tooLong(maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of payload.bytes()) {
    length += chunk.length;
    if (length > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  check(body, expected);
  if (payload.trailer) check(body, payload.trailer.read());
  return body;
}

/** The same as text. Throws S3Error MalformedXML for what is not UTF-8, too. */
export async function readXmlPayload(
  payload: Payload,
  expected: ExpectedChecksums,
  maxBytes: number,
): Promise<string> {
  const body = await readPayload(payload, expected, maxBytes);
  // Replaced characters would name another key.
  if (!isUtf8(body)) throw new S3Error('MalformedXML');
  return body.toString();
}

function check(body: Buffer, expected: ExpectedChecksums): void {
  const checksum = expected.checksum && createChecksum(expected.checksum.algorithm);
  checksum?.update(body);
  const md5 = createHash('md5').update(body).digest('base64');
  checkChecksums(expected, { md5, checksum: checksum?.digest() });
}

function tooLong(maxBytes: number): S3Error {
  return new S3Error('MaxMessageLengthExceeded', {
    extra: [['MaxMessageLengthBytes', String(maxBytes)]],
  });
}

/** Of a body whose hash is signed, or sent without a signature. */
async function* hashed(ctx: Context, hash: string): AsyncGenerator<Buffer, void> {
  if (hash === UNSIGNED_PAYLOAD) return yield* bodyBytes(ctx);
  const sha256 = createHash('sha256');
  for await (const chunk of bodyBytes(ctx)) {
    sha256.update(chunk);
    yield chunk;
  }
  checkPayloadHash(hash, sha256.digest('hex'));
}

export function checkPayloadHash(signed: string, calculated: string): void {
  if (signed === UNSIGNED_PAYLOAD || signed.toLowerCase() === calculated) return;
  throw new S3Error('XAmzContentSHA256Mismatch', {
    extra: [
      ['ClientComputedContentSHA256', signed],
      ['S3ComputedContentSHA256', calculated],
    ],
  });
}

type Get = (name: string) => string | undefined;

/** Undefined for a chunked body; without either header there is none (RFC 9112, 6.3). */
function rawLength(get: Get): number | undefined {
  return get('transfer-encoding') === undefined ? Number(get('content-length') ?? 0) : undefined;
}

function decodedLength(get: Get): number {
  const text = get('x-amz-decoded-content-length');
  if (text === undefined || text === '') throw new S3Error('MissingContentLength');
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidArgument(
    'The decoded content length must be a whole number of bytes.',
    'x-amz-decoded-content-length',
    text,
  );
}

/** A trailer is for a checksum, as in S3. */
function trailerAlgorithm(hash: string, get: Get): ChecksumAlgorithm | undefined {
  const names = get('x-amz-trailer')?.trim().toLowerCase() ?? '';
  if (names === '' || !hash.endsWith(TRAILER)) return undefined;
  const algorithm = checksumAlgorithms.find((known) => checksumHeader(known) === names);
  if (algorithm !== undefined) return algorithm;
  refuseOtherAlgorithm(names.replace('x-amz-checksum-', ''), 'x-amz-trailer');
  throw new S3Error('InvalidRequest', {
    message: 'The value specified in the x-amz-trailer header is not supported',
  });
}

/** A checksum in the header and one in the trailer, or neither of the kind that was named. */
function checkNamedAlgorithm(
  get: Get,
  { checksum }: ExpectedChecksums,
  trailer: ChecksumAlgorithm | undefined,
): void {
  if (checksum && trailer) throw multipleChecksums();
  const named = get('x-amz-sdk-checksum-algorithm')?.toLowerCase();
  const given = checksum?.algorithm ?? trailer;
  if (named === undefined || named === given) return;
  throw new S3Error('InvalidRequest', {
    message: given
      ? 'Value for x-amz-sdk-checksum-algorithm header is invalid.'
      : 'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
  });
}

function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm}`;
}

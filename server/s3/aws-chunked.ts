import type { ChunkSignatures } from './chunk-signature.ts';
import { S3Error } from './s3-error.ts';
import type { ByteText } from './uri-encoding.ts';

/**
 * A body in the encoding `aws-chunked`, read only as fast as it is taken:
 * `SIZE;chunk-signature=… CRLF DATA CRLF` for each chunk, the size in hex, the last one of size 0 and
 * without data; then the trailer. Unsigned bodies have no `;chunk-signature=…`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export interface AwsChunked {
  /**
   * The data, once, in slices of what the source gives. A chunk's signature stands before its data but
   * covers it, so data is handed on before it is known to be right: what was taken counts for nothing
   * unless the end is reached.
   */
  bytes(): AsyncGenerator<Buffer, void>;
  /** The trailing headers, names in lower case. Only there once `bytes` is at its end. */
  trailer(): ReadonlyMap<string, ByteText>;
}

export interface AwsChunkedOptions {
  /** `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** For a signed body; the signatures of an unsigned one are ignored. */
  readonly signatures?: ChunkSignatures | undefined;
  /** `x-amz-trailer`, in lower case: these headers have to come, and no others. */
  readonly trailerNames: readonly string[];
}

/** The line before a chunk's data; the longest that is well-formed has 99 bytes. */
const MAX_CHUNK_HEADER_BYTES = 1024;
const MAX_TRAILER_BYTES = 16_384;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';
const LF = 10;
const CRLF = '\r\n';

// S3 refuses a chunk of less than 8 KiB that is not the last, InvalidChunkSizeError. The SDKs for
// JavaScript (aws-sdk-js-v3 issue 6949) and C++ (aws-sdk-cpp pull request 2893) send such chunks, and
// nothing here depends on their size, so they are taken.
const CHUNK_HEADER = /^([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-fA-F]{64}))?\r\n$/;

/**
 * `bytes` throws S3Error IncompleteBody for a body that is malformed, ends early, or does not have the
 * decoded length; SignatureDoesNotMatch for a chunk or trailer of a signed body whose signature is
 * wrong or missing; MalformedTrailerError for a trailer that is malformed, larger than 16 KiB or not
 * the announced one; and whatever the source throws.
 */
export function createAwsChunked(
  source: AsyncIterable<Buffer>,
  { decodedLength, signatures, trailerNames }: AwsChunkedOptions,
): AwsChunked {
  const buffers = source[Symbol.asyncIterator]();
  let unread: Buffer = Buffer.alloc(0);
  let trailer: ReadonlyMap<string, ByteText> | undefined;

  /** Makes `unread` hold something; false at the end of the source. */
  async function hasMore(): Promise<boolean> {
    while (unread.length === 0) {
      const { value, done } = await buffers.next();
      if (done) return false;
      unread = value;
    }
    return true;
  }

  /** Up to and with the next LF; undefined at the end of the source. */
  async function readLine(maxBytes: number, tooLong: () => S3Error): Promise<ByteText | undefined> {
    let line = '';
    while (!line.endsWith('\n')) {
      if (!(await hasMore())) {
        if (line === '') return undefined;
        throw malformed();
      }
      const lineEnd = unread.indexOf(LF);
      const length = lineEnd < 0 ? unread.length : lineEnd + 1;
      if (line.length + length > maxBytes) throw tooLong();
      line += unread.toString('latin1', 0, length);
      unread = unread.subarray(length);
    }
    return line;
  }

  async function* readData(size: number): AsyncGenerator<Buffer, void> {
    for (let left = size; left > 0; ) {
      if (!(await hasMore())) throw malformed();
      const data = unread.subarray(0, left);
      unread = unread.subarray(data.length);
      left -= data.length;
      signatures?.update(data);
      yield data;
    }
  }

  async function* readChunks(): AsyncGenerator<Buffer, void> {
    let received = 0;
    for (;;) {
      const line = await readLine(MAX_CHUNK_HEADER_BYTES, malformed);
      const [, hex, signature = ''] = CHUNK_HEADER.exec(line ?? '') ?? [];
      if (hex === undefined) throw malformed();
      const size = Number.parseInt(hex, 16);
      received += size;
      // Before the data is read, which also keeps the size in the range of safe integers.
      if (received > decodedLength || (size === 0 && received < decodedLength)) {
        throw wrongLength(decodedLength, received);
      }
      yield* readData(size);
      signatures?.endChunk(signature);
      if (size === 0) return;
      if ((await readLine(CRLF.length, malformed)) !== CRLF) throw malformed();
    }
  }

  /** To the end of the source. An empty line has to be the last, but may be left out. */
  async function readTrailer(): Promise<Map<string, ByteText>> {
    const headers = new Map<string, ByteText>();
    let left = MAX_TRAILER_BYTES;
    let before = CRLF;
    for (;;) {
      const line = await readLine(left, malformedTrailer);
      if (line === undefined) return headers;
      left -= line.length;
      // Some clients end a trailer line with `\n\r\n`, as AWS's examples show it.
      const isRest = line === CRLF && !before.endsWith(CRLF);
      before = line;
      if (isRest) continue;
      if (line === CRLF) break;
      const { name, value } = parseTrailerLine(line);
      if (headers.has(name)) throw malformedTrailer();
      headers.set(name, value);
    }
    if (await hasMore()) throw malformedTrailer();
    return headers;
  }

  /** Checks the names and, where the body is signed, the signature, which is then taken out. */
  function checkTrailer(headers: Map<string, ByteText>): void {
    const signature = headers.get(TRAILER_SIGNATURE);
    if (signatures !== undefined) headers.delete(TRAILER_SIGNATURE);
    const names = new Set(trailerNames);
    if (headers.size !== names.size || ![...names].every((name) => headers.has(name))) {
      throw malformedTrailer();
    }
    if (headers.size > 0 || signature !== undefined) {
      const text = Array.from(headers, ([name, value]) => `${name}:${value}\n`).join('');
      signatures?.endTrailer(text, signature ?? '');
    }
  }

  return {
    async *bytes() {
      try {
        yield* readChunks();
        const headers = await readTrailer();
        checkTrailer(headers);
        trailer = headers;
      } finally {
        await buffers.return?.();
      }
    },

    trailer() {
      if (trailer === undefined) throw new Error('The body has not been read to its end.');
      return trailer;
    },
  };
}

function parseTrailerLine(line: ByteText): { name: string; value: ByteText } {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
  if (name === '') throw malformedTrailer();
  return { name, value: line.slice(colon + 1).trim() };
}

/** What S3 says of any fault in the framing. */
function malformed(): S3Error {
  return new S3Error('IncompleteBody', { message: 'The request body terminated unexpectedly' });
}

function wrongLength(expected: number, provided: number): S3Error {
  return new S3Error('IncompleteBody', {
    extra: [
      ['NumberBytesExpected', String(expected)],
      ['NumberBytesProvided', String(provided)],
    ],
  });
}

function malformedTrailer(): S3Error {
  return new S3Error('MalformedTrailerError');
}

import { S3Error } from '../s3/s3-error.ts';

/**
 * The parts of a multipart body, RFC 2046 section 5.1.1, as far as its bytes have been pushed. Where they do
 * not tell yet, the answer is `more`: push some, or say that there are none, and ask again.
 */
export interface MultipartParser {
  push(bytes: Buffer): void;
  /** Nothing more comes: from now on what is missing is malformed. */
  end(): void;
  /**
   * The header block of the next part, without the blank line behind it; undefined after the last
   * part. What is left of the part before is skipped.
   */
  nextPart(): Buffer | 'more' | undefined;
  /** What is there of the part's content; undefined at its end. */
  nextContent(): Buffer | 'more' | undefined;
  /** The part's content, if its end is there too; else nothing is taken. To be asked first. */
  wholeContent(): Buffer | undefined;
}

/** The header block of one part, in bytes. */
const MAX_HEADER_BYTES = 16_384;
/** Spaces and tabs between a delimiter and its line end: RFC 2046 calls it transport padding. */
const MAX_PADDING_BYTES = 256;
const CR = 13;
const LF = 10;
const CRLF = Buffer.from('\r\n');
const BLANK_LINE = Buffer.from('\r\n\r\n');

/**
 * Throws S3Error MalformedPOSTRequest where the bytes end before the closing delimiter, or a header
 * block is too long.
 */
export function createMultipartParser(boundary: Buffer): MultipartParser {
  const delimiter = Buffer.concat([CRLF, Buffer.from('--'), boundary]);
  // A delimiter at the very beginning has no line end before it.
  let bytes: Buffer = CRLF;
  let position = 0;
  let isEnded = false;
  let isInPart = true;
  let isOver = false;
  /** Line ends before the content, which belong to the header block. */
  let leading = 0;

  function more(message: string): 'more' {
    if (isEnded) throw malformed(message);
    return 'more';
  }

  function take(end: number): Buffer {
    const taken = bytes.subarray(position + leading, end);
    position = end;
    leading = 0;
    return taken;
  }

  function pass({ isLast, end }: Delimiter): void {
    isOver = isLast;
    isInPart = false;
    position = end;
  }

  function nextContent(): Buffer | 'more' | undefined {
    let from = position;
    while (isInPart) {
      const at = indexOfDelimiter(bytes, delimiter, from);
      const end = at < 0 ? safeEnd(bytes, position, delimiter) : at;
      // Of more than one byte, since a lone CR is held back.
      if (end > position) {
        const content = take(end);
        if (content.length > 0) return content;
      }
      const kind = at < 0 ? 'unknown' : delimiterAt(bytes, at + delimiter.length);
      if (kind === 'unknown') return more('The form ends before its closing boundary.');
      if (kind === 'content') from = at + 1;
      else pass(kind);
    }
    return undefined;
  }

  function skipContent(): 'more' | undefined {
    for (;;) {
      const content = nextContent();
      if (!Buffer.isBuffer(content)) return content;
    }
  }

  function readHeaders(): Buffer | 'more' {
    const end = bytes.indexOf(BLANK_LINE, position);
    if ((end < 0 ? bytes.length : end) - position > MAX_HEADER_BYTES) {
      throw malformed(`The headers of a part are larger than ${MAX_HEADER_BYTES} bytes.`);
    }
    if (end < 0) return more('The form ends inside the headers of a part.');
    const headers = bytes.subarray(position + CRLF.length, end);
    // The blank line may be the line end of a delimiter: a part without any content.
    position = end + CRLF.length;
    leading = CRLF.length;
    isInPart = true;
    return headers;
  }

  return {
    push(chunk) {
      const unread = bytes.subarray(position);
      bytes = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
      position = 0;
    },

    end() {
      isEnded = true;
    },

    nextPart() {
      if (skipContent() === 'more') return 'more';
      return isOver ? undefined : readHeaders();
    },

    nextContent,

    wholeContent() {
      const at = indexOfDelimiter(bytes, delimiter, position);
      const kind = at < 0 ? 'unknown' : delimiterAt(bytes, at + delimiter.length);
      if (typeof kind === 'string') return undefined;
      const content = at > position ? take(at) : NO_BYTES;
      pass(kind);
      return content;
    },
  };
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Node searches up to 6 bytes with memchr, which takes a fifth of the time of its search for longer ones.
 * Where only these are alike, the bytes may be made of them: then it is the other one's turn.
 */
function indexOfDelimiter(bytes: Buffer, delimiter: Buffer, from: number): number {
  const at = bytes.indexOf(delimiter.subarray(0, 6), from);
  const isWhole = at < 0 || delimiter.equals(bytes.subarray(at, at + delimiter.length));
  return isWhole ? at : bytes.indexOf(delimiter, at + 1);
}

/** Where the bytes end that cannot be the beginning of a delimiter. */
function safeEnd(bytes: Buffer, begin: number, delimiter: Buffer): number {
  let at = bytes.indexOf(CR, Math.max(begin, bytes.length - delimiter.length + 1));
  while (at >= 0 && !bytes.subarray(at).equals(delimiter.subarray(0, bytes.length - at))) {
    at = bytes.indexOf(CR, at + 1);
  }
  return at < 0 ? bytes.length : at;
}

interface Delimiter {
  readonly isLast: boolean;
  /** Before the line end. */
  readonly end: number;
}

/**
 * What stands behind the boundary tells whether it is one: a line end after padding for a part, two
 * dashes for the end; with anything else the line is content that looks alike.
 */
function delimiterAt(bytes: Buffer, end: number): 'content' | 'unknown' | Delimiter {
  if (bytes[end] === CR && bytes[end + 1] === LF) return { isLast: false, end };
  const rest = bytes.toString('latin1', end, end + MAX_PADDING_BYTES + CRLF.length);
  if (rest.startsWith('--')) return { isLast: true, end: end + 2 };
  const [padding] = /^[ \t]*(?=\r\n)/.exec(rest) ?? [];
  if (padding !== undefined) return { isLast: false, end: end + padding.length };
  const isCut = /^(?:-|[ \t]*\r?)$/.test(rest) && rest.length <= MAX_PADDING_BYTES;
  return isCut ? 'unknown' : 'content';
}

export function malformed(message: string): S3Error {
  return new S3Error('MalformedPOSTRequest', { message });
}

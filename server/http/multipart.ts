import { isAscii } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { MAX_FORM_OVERHEAD_BYTES } from '../../shared/limits.ts';
import { FILENAME, fieldsTooLarge, MAX_FORM_FIELDS_BYTES } from '../s3/form-fields.ts';
import { invalidArgument, missingField, notMultipart, S3Error } from '../s3/s3-error.ts';
import { acceptBody, nextChunk } from './body.ts';
import { createMultipartParser, malformed } from './multipart-parser.ts';
import { boundaryOf, parsePartHeaders } from './part-headers.ts';
import type { S3Exchange } from './s3-exchange.ts';

/**
 * A form as it arrives (RFC 7578), read only as fast as it is taken: first the fields, then the bytes
 * of its file, then its end. All throw the S3Error of what is wrong with the form.
 */
export interface Form {
  /** The fields up to the file. To be called first. */
  head(): Promise<FormHead>;
  /** The fields that were read so far. */
  readonly pairs: FormHead['pairs'];
  /** The file's bytes, once: in one piece where they have all arrived. */
  file(): Buffer | AsyncGenerator<Buffer, void>;
  /** Reads on to the end of the request: nothing that follows the file counts, but a second file. */
  end(): Promise<void>;
  /** Lets go of the request, wherever it is. */
  close(): Promise<void>;
}

export interface FormHead {
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** Undefined where the file has none. */
  readonly filename: string | undefined;
}

const NO_BYTES = Buffer.alloc(0);

/** Throws S3Error PreconditionFailed for what is no form at all. */
export function openForm(ctx: S3Exchange): Form {
  const type = ctx.get('content-type');
  if (!/^multipart\/form-data[ \t]*(;|$)/i.test(type)) throw notMultipart();
  const boundary = boundaryOf(type);
  if (!boundary) throw malformed('The Content-Type names no boundary.');
  acceptBody(ctx);

  const parser = createMultipartParser(boundary);
  let chunks: AsyncIterableIterator<Buffer> | undefined;
  /** Bytes that are read for nothing but the form's sake. */
  let overhead = 0;
  let isInFile = false;
  let isRead = false;

  /**
   * Node's iterator costs much of what a small form does. Its bytes come with its headers, but Node hands
   * them over only once this turn is over.
   */
  async function takeWhole(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    isRead = ctx.req.complete && !ctx.req.destroyed;
    if (!isRead) return;
    parser.push(ctx.req.read() ?? NO_BYTES);
    parser.end();
  }

  async function pull(): Promise<void> {
    const bytes = await nextBytes();
    if (bytes) parser.push(bytes);
    else parser.end();
  }

  /** Undefined at the end of the request. */
  async function nextBytes(): Promise<Buffer | undefined> {
    // Whoever stops reading leaves the connection as it is: an answer is still to be sent.
    chunks ??= ctx.req.iterator({ destroyOnReturn: false });
    const { value, done } = await nextChunk(chunks);
    isRead = done === true;
    if (done) return undefined;
    if (!isInFile) overhead += value.length;
    if (overhead > MAX_FORM_FIELDS_BYTES + MAX_FORM_OVERHEAD_BYTES) throw fieldsTooLarge();
    return value;
  }

  async function* content(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const bytes = parser.nextContent();
      if (bytes === undefined) return;
      if (bytes === 'more') await pull();
      else yield bytes;
    }
  }

  async function readField(maxBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const bytes of content()) {
      size += bytes.length;
      if (size > maxBytes) throw fieldsTooLarge();
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  }

  async function* fileBytes(): AsyncGenerator<Buffer, void> {
    isInFile = true;
    yield* content();
    isInFile = false;
    overhead = 0;
  }

  const pairs: [string, string][] = [];
  return {
    pairs,

    async head() {
      await takeWhole();
      let room = MAX_FORM_FIELDS_BYTES;
      for (;;) {
        const block = parser.nextPart();
        if (!block) throw missingField('file');
        if (block === 'more') {
          await pull();
          continue;
        }
        const { name, filename, charset } = parsePartHeaders(block);
        if (isFile(name)) return { pairs, filename: readableName(pairs, filename) };
        room -= Buffer.byteLength(name);
        const value = parser.wholeContent() ?? (await readField(room));
        room -= value.length;
        if (room < 0) throw fieldsTooLarge();
        pairs.push([name, decode(name, value, charset)]);
      }
    },

    file() {
      const whole = parser.wholeContent();
      if (!whole) return fileBytes();
      overhead = 0;
      return whole;
    },

    async end() {
      for (;;) {
        const block = parser.nextPart();
        if (!block) break;
        if (block === 'more') await pull();
        else if (isFile(parsePartHeaders(block).name)) {
          throw new S3Error('IncorrectNumberOfFilesInPostRequest');
        }
      }
      while (!isRead) await nextBytes();
    },

    async close() {
      await chunks?.return?.();
    },
  };
}

/** Many clients send a name that is no UTF-8, and few forms use it. */
function readableName(
  pairs: FormHead['pairs'],
  filename: string | null | undefined,
): string | undefined {
  if (filename === null && pairs.some(([, value]) => value.includes(FILENAME))) {
    throw invalidArgument("The file's name, which a field uses, is not valid UTF-8.", 'file', '');
  }
  return filename ?? undefined;
}

/** By its name alone: consoles give it no filename, and some clients give every part one. */
function isFile(name: string): boolean {
  return name.toLowerCase() === 'file';
}

/**
 * ASCII is what it is whatever the charset: clients name one without a thought. One that nobody knows
 * counts as UTF-8. Throws S3Error InvalidArgument for bytes that the charset lacks.
 */
function decode(name: string, bytes: Buffer, charset: string | undefined): string {
  if (isAscii(bytes) && !bytes.includes(0)) return bytes.toString('latin1');
  try {
    return decoderOf(charset).decode(bytes);
  } catch {
    throw invalidArgument('The field is not text of its charset.', name, bytes.toString());
  }
}

function decoderOf(charset = 'utf-8'): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true });
  } catch {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  }
}

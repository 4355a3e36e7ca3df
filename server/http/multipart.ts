import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { MAX_FORM_OVERHEAD_BYTES } from '../../shared/limits.ts';
import { fieldsTooLarge, MAX_FORM_FIELDS_BYTES } from '../s3/form-fields.ts';
import { invalidArgument, missingField, notMultipart, S3Error } from '../s3/s3-error.ts';
import { acceptBody } from './body.ts';
import type { Context } from './context.ts';

/** A form as it arrives (RFC 7578): first the fields, then the bytes of its file, then its end. */
export interface Form {
  /** Resolves once the file begins. Rejects with the S3Error of what is wrong with the form. */
  head(): Promise<FormHead>;
  /** The file's bytes, read only as fast as they are taken. Throws where the form breaks off. */
  file(): AsyncGenerator<Buffer, void>;
  /** Resolves once the form is over, and had one file. To be awaited after the file. */
  end(): Promise<void>;
  /** Nothing more will be read. */
  close(): void;
}

export interface FormHead {
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** Undefined where the file has none. */
  readonly filename: string | undefined;
}

/** Headers of one part: a handful, and short. */
const MAX_PART_HEADERS = 32;
const MAX_PART_HEADER_BYTES = 16_384;
/** What is read ahead of who takes the file's bytes. */
const READ_AHEAD_BYTES = 65_536;

/**
 * Begins to read. The part named `file` is the file, whatever its headers say, and any other is a
 * field. Throws S3Error PreconditionFailed for what is no form at all.
 */
export function openForm(ctx: Context): Form {
  const parser = createParser(ctx);
  const { req } = ctx;
  const head = createPromise<FormHead>();
  const end = createPromise<void>();
  const pairs: [string, string][] = [];
  let stream: BusboyFileStream | undefined;
  let failure: S3Error | undefined;
  /** Bytes of the fields, and bytes around the file that are read for nothing. */
  let fieldBytes = 0;
  let overhead = 0;

  function fail(error: S3Error): void {
    if (failure) return;
    failure = error;
    close();
    head.reject(error);
    end.reject(error);
    stream?.destroy(error);
  }

  function close(): void {
    req.off('data', onData).off('end', onEnd).off('close', onClose);
    // An answer may be on its way already; the listener sees to what else arrives.
    req.resume();
  }

  function onData(chunk: Buffer): void {
    if (!stream || stream.readableEnded) overhead += chunk.length;
    if (overhead > MAX_FORM_FIELDS_BYTES + MAX_FORM_OVERHEAD_BYTES) {
      fail(stream ? malformed('Too much follows the file.') : fieldsTooLarge());
      return;
    }
    if (parser.write(chunk)) return;
    req.pause();
    parser.once('drain', () => req.resume());
  }

  function onEnd(): void {
    parser.end();
  }

  function onClose(): void {
    if (!req.complete) fail(new S3Error('IncompleteBody'));
  }

  parser.on('field', (name, value, isNameCut, isValueCut) => {
    // What follows the file is ignored.
    if (stream) return;
    fieldBytes += Buffer.byteLength(name ?? '') + Buffer.byteLength(value);
    if (isNameCut || isValueCut || fieldBytes > MAX_FORM_FIELDS_BYTES) fail(fieldsTooLarge());
    else if (name !== undefined) pairs.push([name, value]);
  });
  parser.on('file', (_name, file, filename) => {
    if (stream) {
      file.on('error', () => {}).resume();
      fail(new S3Error('IncorrectNumberOfFilesInPostRequest'));
      return;
    }
    stream = file;
    // Without a listener an error between two reads would end the process.
    stream.on('error', () => {});
    if (failure) return;
    const unreadable = pairs.find((pair) => pair.some((text) => text.includes('\ufffd')));
    if (unreadable) fail(notText(...unreadable));
    else head.resolve({ pairs, filename });
  });
  parser.on('error', () => fail(malformed('The form is not well-formed multipart/form-data.')));
  parser.on('finish', () => {
    if (stream) end.resolve();
    else fail(missingField('file'));
  });

  acceptBody(ctx);
  req.on('data', onData).on('end', onEnd).on('close', onClose);
  return {
    head: () => head.promise,
    end: () => end.promise,
    close,
    async *file() {
      if (!stream) throw new Error('The file has not begun.');
      try {
        yield* stream;
      } catch (error) {
        throw failure ?? error;
      }
      if (failure) throw failure;
    },
  };
}

function createParser(ctx: Context): BusboyInstance {
  const type = ctx.get('content-type');
  if (!/^multipart\/form-data\s*(;|$)/i.test(type)) throw notMultipart();
  try {
    return new Busboy({
      headers: { 'content-type': type },
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      preservePath: true,
      fileHwm: READ_AHEAD_BYTES,
      limits: {
        fieldSize: MAX_FORM_FIELDS_BYTES,
        headerPairs: MAX_PART_HEADERS,
        headerSize: MAX_PART_HEADER_BYTES,
      },
    });
  } catch {
    throw malformed('The Content-Type has no boundary.');
  }
}

/** As Promise.withResolvers, which Node 20 lacks. A rejection that nobody waits for is none. */
function createPromise<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function malformed(message: string): S3Error {
  return new S3Error('MalformedPOSTRequest', { message });
}

/** Its bytes are not what its charset, UTF-8 unless told, can spell: storing it would change it. */
function notText(name: string, value: string): S3Error {
  return invalidArgument('The field is not text of its charset.', name, value);
}

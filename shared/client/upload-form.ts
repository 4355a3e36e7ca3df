import { codeOf, KeystowClientError } from './client-error.ts';
import { failure } from './http-transport.ts';
import { multipartBody } from './multipart-body.ts';

/** A form that a server has signed: whoever has it may send one file. */
export interface SignedForm {
  readonly url: string;
  /** In this order, and before the file. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface UploadProgress {
  /** Bytes of the form that were handed on, of so many in all. */
  readonly sent: number;
  readonly total: number;
}

export interface UploadOptions {
  /** Takes the place of `${filename}` in the form's key; a File has its own name. */
  readonly fileName?: string | undefined;
  /** Told as bytes leave, and once at the end. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Cuts the upload off, with the signal's reason: nothing is stored then. */
  readonly signal?: AbortSignal | undefined;
  /** What sends where there is no XMLHttpRequest. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Uploaded {
  /** In quotes. */
  readonly etag: string;
  /** The URL of the object. */
  readonly location: string | undefined;
}

interface FormAnswer {
  readonly status: number;
  header(name: string): string | null;
  readonly text: string;
}

/**
 * Sends a file with a signed form: no other credentials are needed. Browsers tell of progress by
 * XMLHttpRequest alone; elsewhere it is a streamed fetch, in constant memory. Rejects with a KeystowClientError that
 * has S3's code. It is never repeated by itself.
 */
export async function uploadForm(
  form: SignedForm,
  file: Blob,
  options: UploadOptions = {},
): Promise<Uploaded> {
  options.signal?.throwIfAborted();
  const fileName = options.fileName ?? nameOf(file) ?? 'file';
  const answer = await (hasXhr()
    ? sendWithXhr(form, file, fileName, options)
    : sendWithFetch(form, file, fileName, options));
  if (answer.status < 200 || answer.status >= 400) throw refusal(answer);
  return { etag: answer.header('etag') ?? '', location: answer.header('location') ?? undefined };
}

async function sendWithFetch(
  { url, fields }: SignedForm,
  file: Blob,
  fileName: string,
  { onProgress, signal, fetch: send = fetch }: UploadOptions,
): Promise<FormAnswer> {
  const { contentType, length, stream } = multipartBody(fields, file, fileName);
  let sent = 0;
  const counted = stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk);
        sent += chunk.byteLength;
        onProgress?.({ sent, total: length });
      },
    }),
  );
  // Streams are sent in halves: https://fetch.spec.whatwg.org/#dom-requestinit-duplex
  const init = {
    method: 'POST',
    // Without its length it would be chunked, which S3 itself refuses.
    headers: { 'content-type': contentType, 'content-length': String(length) },
    body: counted,
    duplex: 'half',
    redirect: 'manual',
    ...(signal ? { signal } : {}),
  } as const;
  try {
    const response = await send(url, init);
    const text = await response.text();
    return { status: response.status, header: (name) => response.headers.get(name), text };
  } catch (error) {
    throw failure(error, signal ? [signal] : []);
  }
}

/** What is used of https://xhr.spec.whatwg.org: Node has none, nor its types. */
interface Xhr {
  readonly status: number;
  readonly responseText: string;
  readonly upload: { onprogress: ((event: { loaded: number; total: number }) => void) | null };
  onload: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  open(method: string, url: string): void;
  send(body: FormData): void;
  abort(): void;
  getResponseHeader(name: string): string | null;
}

declare const XMLHttpRequest: (new () => Xhr) | undefined;

function hasXhr(): boolean {
  return typeof XMLHttpRequest === 'function';
}

function sendWithXhr(
  { url, fields }: SignedForm,
  file: Blob,
  fileName: string,
  { onProgress, signal }: UploadOptions,
): Promise<FormAnswer> {
  if (typeof XMLHttpRequest !== 'function') throw new TypeError('There is no XMLHttpRequest.');
  const xhr = new XMLHttpRequest();
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append('file', file, fileName);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => xhr.abort();
    const end = (): void => signal?.removeEventListener('abort', onAbort);
    xhr.upload.onprogress = ({ loaded, total }) => onProgress?.({ sent: loaded, total });
    xhr.onload = () => {
      end();
      const header = (name: string): string | null => xhr.getResponseHeader(name);
      resolve({ status: xhr.status, header, text: xhr.responseText });
    };
    xhr.onerror = () => {
      end();
      reject(new KeystowClientError('network', 'The connection failed during the upload.'));
    };
    xhr.onabort = () => {
      end();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    xhr.open('POST', url);
    xhr.send(data);
  });
}

/** S3's XML, or what a proxy says. */
function refusal({ status, text }: FormAnswer): KeystowClientError {
  const s3Code = xmlText(text, 'Code');
  const message = xmlText(text, 'Message') ?? `The upload was answered ${status}.`;
  const code = s3Code === undefined && status < 500 ? 'unexpected' : codeOf(status);
  return new KeystowClientError(code, message, { status, s3Code });
}

function xmlText(xml: string, element: string): string | undefined {
  const inner = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return inner?.replace(/&(lt|gt|quot|apos|amp|#(\d+));/g, (whole, name, code) =>
    code === undefined ? (ENTITIES.get(name) ?? whole) : String.fromCodePoint(Number(code)),
  );
}

const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['amp', '&'],
]);

function nameOf(file: Blob): string | undefined {
  return 'name' in file && typeof file.name === 'string' ? file.name : undefined;
}

import { codeOf, KeystowClientError } from './client-error.ts';

/** How requests get to the server and answers back: over fetch, or over Socket.IO. */

export interface ClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string | undefined;
  /** JSON's own unless told. */
  readonly contentType?: string | undefined;
  /** Preconditions and what is accepted, in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ClientAnswer {
  readonly status: number;
  /** `etag`, `location`, `link` and `retry-after`, where the answer has them. */
  header(name: string): string | undefined;
  readonly text: string;
}

export interface Transport {
  /** Rejects with `network` or `timeout`, or with the signal's reason; not for what the answer says. */
  send(request: ClientRequest): Promise<ClientAnswer>;
  /** What is under way rejects; nothing may be sent any more. */
  close(): void;
}

/** The JSON of a success, which is what the server's routes make. */
export function jsonOf<T>({ status, text }: ClientAnswer): T {
  try {
    const value: T = JSON.parse(text);
    return value;
  } catch (cause) {
    const message = 'The answer is not JSON: is this a Keystow?';
    throw new KeystowClientError('unexpected', message, { status, cause });
  }
}

/** What the bodies of errors have; those of a batch tell of its members. */
interface ErrorBody {
  readonly error: string;
  readonly oldest?: number;
  readonly answers?: readonly {
    readonly index: number;
    readonly url: string;
    readonly status: number;
    readonly headers?: { readonly etag?: string };
    readonly data: { readonly error: string };
  }[];
}

/** What the answer says that it refuses. */
export function refusalOf(answer: ClientAnswer): KeystowClientError {
  const { status } = answer;
  const body = parseError(answer.text);
  if (!body) {
    const message = `The server answered ${status} without a reason of Keystow's.`;
    return new KeystowClientError(status < 500 ? 'unexpected' : codeOf(status), message, {
      status,
    });
  }
  const seconds = Number(answer.header('retry-after') ?? Number.NaN);
  return new KeystowClientError(codeOf(status), body.error, {
    status,
    etag: answer.header('etag'),
    retryAfter: Number.isNaN(seconds) ? undefined : seconds,
    oldest: body.oldest,
    failures: body.answers?.map(({ index, url, status, headers, data }) => ({
      index,
      url,
      status,
      code: codeOf(status),
      message: data.error,
      etag: headers?.etag,
    })),
  });
}

function parseError(text: string): ErrorBody | undefined {
  try {
    const body: ErrorBody = JSON.parse(text);
    return typeof body.error === 'string' ? body : undefined;
  } catch {
    return undefined;
  }
}

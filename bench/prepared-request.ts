/** One request; Host, Connection and Content-Length are added to it. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query. */
  readonly path: string;
  readonly body?: string;
  /** Part of the answer's text; one probe checks it before the load, the load only counts 2xx. */
  readonly expect?: string;
}

/** Where a load goes: the origin, and the headers of every request. */
export interface LoadTarget {
  readonly url: string;
  /** Origins of several processes that the connections of a load go to in turn, instead of `url`. */
  readonly urls?: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** Where the origin is HTTPS: the certificate to trust. */
  readonly ca?: string;
}

/**
 * The request of one autocannon connection, a new one each time that autocannon takes its bytes.
 * autocannon's own way (`setupRequest`) costs more than a small server's answer, so that the
 * generator and not the server would be measured.
 */
export class PreparedRequest {
  // autocannon asks for headers and adds them to bytes that are never sent.
  readonly headers = {};
  readonly #head: string;
  readonly #next: () => LoadRequest;

  constructor({ url, headers }: LoadTarget, next: () => LoadRequest) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#head = ` HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: keep-alive\r\n${lines.join('')}`;
    this.#next = next;
  }

  get requestBuffer(): Buffer {
    const { method, path, body } = this.#next();
    const end =
      body === undefined ? '\r\n' : `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    return Buffer.from(`${method} ${path}${this.#head}${end}`);
  }

  // autocannon stores here what it built itself.
  set requestBuffer(_built: Buffer) {}
}

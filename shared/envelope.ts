/** What a client emits as `http message`: one request of the REST interface. */
export interface Envelope {
  auth?: { username: string; password: string };
  /** Path and query, such as `/data/test?limit=10`. */
  url: string;
  method: string;
  /** The body: a JSON value, or with `content-type` in `headers` its text, stored as sent. */
  data?: unknown;
  /** Only `content-type`, `accept` and those beginning with `if-` count. */
  headers?: Record<string, string>;
  /** Echoed in the answer, to pair it with its request. */
  id?: unknown;
}

/** What comes back, on the same event and through the acknowledgement if there is one. */
export interface EnvelopeAnswer {
  /** As sent; null where the envelope had none that is a string. */
  method: string | null;
  url: string | null;
  status: number;
  statusText: string;
  /** The body as JSON.parse reads it; its text where the envelope accepts `text/plain`. */
  data?: unknown;
  headers?: { etag?: string; location?: string; 'retry-after'?: string; link?: string };
  id?: unknown;
}

export interface ClientToServerEvents {
  'http message': (envelope: Envelope, ack?: (answer: EnvelopeAnswer) => void) => void;
}

export interface ServerToClientEvents {
  'http message': (answer: EnvelopeAnswer) => void;
}

import type { Middleware, ParameterizedContext } from 'koa';
import type { Credentials } from '../services/credentials.ts';
import type { Principal } from '../services/grants.ts';

/** What travels with a request from the listener, or the socket, to its route. */
export interface State {
  requestId: string;
  /** Its pattern, or the name of S3's operation: for metrics. */
  route?: string;
  /** Why the request was refused, in a word and in a sentence: for the log. */
  refusal?: string;
  reason?: string;
  /** Errors are S3's XML. */
  isS3?: boolean;
  /** BUCKET/KEY of an upload, and the access key that signed: for the log. */
  object?: string;
  accessKeyId?: string;
  /** Set by authenticate.ts on the routes that need credentials. */
  principal?: Principal;
  /** Set for envelopes: the credentials and the body came with it. */
  envelope?: {
    readonly credentials: Credentials | undefined;
    /** Whether it has any, readable or not: who tries to be somebody is not nobody. */
    readonly hasAuth: boolean;
    readonly body: Buffer;
    /** What the socket's client calls this server, without a slash at its end. */
    readonly base: string;
    /** Aborted once the socket is gone. */
    readonly gone: AbortSignal;
  };
}

export type Context = ParameterizedContext<State>;
export type Handler = Middleware<State>;

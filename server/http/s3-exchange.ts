import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.ts';

/** A request to an S3 route and its answer: Koa's context is one, and a plain form's exchange. */
export interface S3Exchange extends Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** What the request was sent to. */
  readonly host: string;
  readonly protocol: string;
  /** Takes back a header of the answer, which has the name's very spelling. */
  remove(name: string): void;
}

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { State } from './context.ts';

/**
 * A request and its answer, as the handlers of documents see them. Koa's context is one; where
 * nothing else of Koa is needed, `PlainExchange` costs far less (docs/performance.md).
 */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly querystring: string;
  readonly headers: IncomingHttpHeaders;
  /** Where failed attempts to authenticate are counted. */
  readonly ip: string;
  readonly state: State;
  /** Undefined for an envelope: its body is in `state`. */
  readonly req?: IncomingMessage | undefined;
  readonly res?: ServerResponse | undefined;
  status: number;
  body: unknown;
  /** A header of the request; empty where it is absent. */
  get(name: string): string;
  set(name: string, value: string): void;
  vary(name: string): void;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** Reads, decides, and sets the answer; or rejects with what the answer is made of. */
export type Operation = (exchange: Exchange) => Promise<void>;

export class PlainExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly querystring: string;
  readonly headers: IncomingHttpHeaders;
  readonly ip: string;
  readonly state: State;
  readonly req: IncomingMessage | undefined;
  readonly res: ServerResponse | undefined;
  /** Names and values of the answer's headers, flat, as Node takes them. */
  readonly fields: string[] = [];
  status = 404;
  body: Buffer | string | undefined;

  constructor(
    request: Pick<Exchange, 'method' | 'headers' | 'ip' | 'state' | 'req' | 'res'> & {
      /** Path and query. */
      readonly url: string;
    },
  ) {
    const { url } = request;
    const query = url.indexOf('?');
    this.method = request.method;
    this.path = query < 0 ? url : url.slice(0, query);
    this.querystring = query < 0 ? '' : url.slice(query + 1);
    this.headers = request.headers;
    this.ip = request.ip;
    this.state = request.state;
    this.req = request.req;
    this.res = request.res;
  }

  get(name: string): string {
    const value = this.headers[name];
    return typeof value === 'string' ? value : '';
  }

  set(name: string, value: string): void {
    const at = this.placeOf(name);
    if (at < 0) this.fields.push(name, value);
    else this.fields[at + 1] = value;
  }

  vary(name: string): void {
    const before = this.field('Vary');
    this.set('Vary', before === undefined ? name : `${before}, ${name}`);
  }

  /** A header of the answer, by its name as it was set. */
  field(name: string): string | undefined {
    const at = this.placeOf(name);
    return at < 0 ? undefined : this.fields[at + 1];
  }

  /** Of names alone: a value may look like one, such as a header that CORS exposes. */
  protected placeOf(name: string): number {
    for (let at = 0; at < this.fields.length; at += 2) if (this.fields[at] === name) return at;
    return -1;
  }
}

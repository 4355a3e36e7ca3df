import type { Logger } from 'pino';
import type { Authenticator } from '../services/credentials.ts';
import { identify } from './authenticate.ts';
import { answerJsonError } from './error-boundary.ts';
import { PlainExchange } from './exchange.ts';
import type { Request, Response } from './messages.ts';
import { logRequest } from './request-log.ts';
import type { RequestMeter } from './request-meter.ts';
import { type DocumentOperations, documentRoute } from './routes/documents.ts';
import type { BucketOfHost } from './s3-requests.ts';

export interface PlainOptions {
  readonly operations: DocumentOperations;
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly meter: RequestMeter;
  readonly bucketOfHost: BucketOfHost;
  readonly corsOrigins: readonly string[];
  readonly trustProxy: boolean;
}

/** Answers the request; undefined where that is Koa's. */
export type PlainRequests = (req: Request, res: Response) => Promise<void> | undefined;

/** What takes Koa's middleware: origins, continuing. */
const SPECIAL_HEADERS = ['origin', 'sec-fetch-site', 'expect'] as const;

/**
 * Most requests are for one document, with nothing unusual about them. They go past Koa, whose context
 * costs as much as all the rest; the handlers are the same.
 */
export function plainRequests(options: PlainOptions): PlainRequests {
  const { operations, authenticator, log, meter } = options;

  function isPlain({ headers }: Request): boolean {
    if (options.trustProxy || SPECIAL_HEADERS.some((name) => headers[name] !== undefined))
      return false;
    return options.bucketOfHost(headers.host ?? '') === undefined;
  }

  async function answer(exchange: PlainExchange, res: Response): Promise<void> {
    const start = performance.now();
    // As @koa/cors does, with or without an Origin.
    if (options.corsOrigins.length > 0) exchange.vary('Origin');
    try {
      await identify(exchange, authenticator);
      await operations.find(exchange)?.(exchange);
    } catch (thrown) {
      await answerJsonError(exchange, thrown, log);
    }
    res.sendWhole(exchange.status, exchange.fields, exchange.body);
    const { method, path, status } = exchange;
    meter.answered('http', method, documentRoute(path), status, performance.now() - start);
  }

  return (req, res) => {
    const { method = '', url = '', headers } = req;
    if (!url.startsWith('/data') || !isPlain(req)) return undefined;
    const state = { requestId: res.requestId };
    const ip = req.socket.remoteAddress ?? '';
    const exchange = new PlainExchange({ method, url, headers, ip, state, req, res });
    if (!operations.find(exchange)) return undefined;
    logRequest(log, exchange, res);
    return answer(exchange, res);
  };
}

import type { ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { reservedNames } from '../../shared/reserved-names.ts';
import type { Buckets } from '../services/buckets.ts';
import { answerS3Error } from './error-boundary.ts';
import { PlainExchange } from './exchange.ts';
import type { Request, Response } from './messages.ts';
import type { PlainRequests } from './plain-requests.ts';
import { logRequest } from './request-log.ts';
import { type RequestMeter, UNKNOWN } from './request-meter.ts';
import type { S3Exchange } from './s3-exchange.ts';
import { type BucketOfHost, createS3Answers, type S3Handler } from './s3-requests.ts';

class FormExchange extends PlainExchange implements S3Exchange {
  declare readonly req: Request;
  declare readonly res: ServerResponse;
  readonly host: string;

  constructor(req: Request, res: Response, host: string) {
    const { method = '', url = '', headers } = req;
    const ip = req.socket.remoteAddress ?? '';
    super({ method, url, headers, ip, state: { requestId: res.requestId }, req, res });
    this.host = host;
  }

  get protocol(): string {
    return this.req.socket instanceof TLSSocket ? 'https' : 'http';
  }

  remove(name: string): void {
    const at = this.placeOf(name);
    if (at >= 0) this.fields.splice(at, 2);
  }
}

/**
 * Forms with nothing unusual about their request go past Koa, as documents do; what answers them is the
 * same.
 */
export function plainForms(options: {
  readonly post: S3Handler<S3Exchange>;
  readonly buckets: Buckets;
  readonly log: Logger;
  readonly meter: RequestMeter;
  readonly bucketOfHost: BucketOfHost;
  readonly trustProxy: boolean;
}): PlainRequests {
  const { log, meter, bucketOfHost, trustProxy } = options;
  const post = { POST: options.post };
  const answerS3 = createS3Answers<S3Exchange>(
    { service: post, bucket: post, object: {} },
    options,
  );

  async function answer(exchange: FormExchange, res: Response): Promise<void> {
    const start = performance.now();
    try {
      await answerS3(exchange, undefined);
    } catch (thrown) {
      await answerS3Error(exchange, thrown, log);
    }
    res.sendWhole(exchange.status, exchange.fields, exchange.body);
    const { method, status, state } = exchange;
    meter.answered('http', method, state.route ?? UNKNOWN, status, performance.now() - start);
  }

  return (req, res) => {
    const { method, url = '', headers } = req;
    if (method !== 'POST' || trustProxy || headers.expect !== undefined) return undefined;
    // Of a bucket or of none; neither a key nor a query.
    const [, bucket] = /^\/([a-z\d.-]*)\/?$/.exec(url) ?? [];
    if (bucket === undefined || reservedNames.has(bucket)) return undefined;
    const { host = '' } = headers;
    if (!/^[\w.:[\]-]*$/.test(host) || bucketOfHost(host) !== undefined) return undefined;
    const exchange = new FormExchange(req, res, host);
    logRequest(log, exchange, res);
    return answer(exchange, res);
  };
}

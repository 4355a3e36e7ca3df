import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Handler } from './context.ts';
import type { Exchange } from './exchange.ts';
import { nextRequestId, Response } from './messages.ts';
import { type RequestMeter, UNKNOWN } from './request-meter.ts';

/** BUCKET/KEY, as long as it can be. */
const MAX_LOGGED_CHARS = 63 + 1 + 1_024;

/** An id and a line of log for every request that Koa answers; and it is counted. */
export function requestLog(log: Logger, meter: RequestMeter): Handler {
  return async (ctx, next) => {
    const start = performance.now();
    const count = (status: number | 'aborted'): void => {
      const via = ctx.state.envelope ? 'socket' : 'http';
      const route = ctx.state.route ?? UNKNOWN;
      meter.answered(via, ctx.method, route, status, performance.now() - start);
    };
    if (ctx.res instanceof Response) {
      ctx.state.requestId = ctx.res.requestId;
      ctx.res.setOwnHeaders();
    } else ctx.state.requestId = nextRequestId();
    // A connection that is gone has no address any more.
    ctx.request.ip = ctx.ip;
    if (ctx.state.envelope) {
      await next();
      logEnvelope(log, ctx, start);
      count(ctx.status);
    } else {
      ctx.res.once('close', () => count(ctx.res.writableFinished ? ctx.status : 'aborted'));
      logRequest(log, ctx, ctx.res);
      await next();
    }
  };
}

/** One line once the answer is out or the client gone: no credentials, query or body. */
export function logRequest(log: Logger, exchange: Exchange, res: ServerResponse): void {
  if (!log.isLevelEnabled('info')) return;
  const start = performance.now();
  res.once('close', () =>
    write(log, exchange, start, {
      via: 'http',
      // Koa's own 404 is nothing that was answered.
      status: res.headersSent ? exchange.status : undefined,
      ...(res.writableFinished ? {} : { cutOff: true }),
    }),
  );
}

/** The same for an envelope that has its answer. */
export function logEnvelope(log: Logger, exchange: Exchange, start: number): void {
  if (!log.isLevelEnabled('info')) return;
  write(log, exchange, start, { via: 'socket', status: exchange.status });
}

function write(
  log: Logger,
  { method, path, ip, state }: Exchange,
  start: number,
  { via, status, ...more }: { via: string; status: number | undefined; cutOff?: boolean },
): void {
  log.info(
    {
      id: state.requestId,
      via,
      method,
      path,
      status,
      ms: Math.round((performance.now() - start) * 10) / 10,
      address: ip,
      user: state.principal?.name,
      accessKeyId: state.accessKeyId,
      object: state.object?.slice(0, MAX_LOGGED_CHARS),
      refusal: state.refusal,
      reason: state.reason,
      ...more,
    },
    'request',
  );
}

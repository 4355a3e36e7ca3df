import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Handler } from './context.ts';
import type { Exchange } from './exchange.ts';
import { nextRequestId, Response } from './messages.ts';

/** BUCKET/KEY, as long as it can be. */
const MAX_LOGGED_CHARS = 63 + 1 + 1_024;

/** An id and a line of log for every request that Koa answers. */
export function requestLog(log: Logger): Handler {
  return async (ctx, next) => {
    if (ctx.res instanceof Response) {
      ctx.state.requestId = ctx.res.requestId;
      ctx.res.setOwnHeaders();
    } else ctx.state.requestId = nextRequestId();
    // A connection that is gone has no address any more.
    ctx.request.ip = ctx.ip;
    if (ctx.state.envelope) {
      const start = performance.now();
      await next();
      logEnvelope(log, ctx, start);
    } else {
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

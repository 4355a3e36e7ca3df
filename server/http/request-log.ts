import type { Logger } from 'pino';
import type { Context, Handler } from './context.ts';
import { nextRequestId } from './messages.ts';

/** BUCKET/KEY, as long as it can be. */
const MAX_LOGGED_CHARS = 63 + 1 + 1_024;

/** A request id for every request, and one line of log, without credentials, query or body. */
export function requestLog(log: Logger): Handler {
  return async (ctx, next) => {
    // A listener has given its answers one already.
    ctx.state.requestId = ctx.response.get('X-Request-Id') || nextRequestId();
    const start = performance.now();
    // A connection that is gone has no address any more.
    ctx.request.ip = ctx.ip;
    if (ctx.state.envelope) {
      await next();
      write(log, ctx, start, 'socket');
    } else {
      ctx.res.once('close', () => write(log, ctx, start, 'http'));
      await next();
    }
  };
}

function write(log: Logger, ctx: Context, start: number, via: 'http' | 'socket'): void {
  log.info(
    {
      id: ctx.state.requestId,
      via,
      method: ctx.method,
      path: ctx.path,
      // Koa's own 404 is nothing that was answered.
      status: via === 'socket' || ctx.res.headersSent ? ctx.status : undefined,
      ms: Math.round((performance.now() - start) * 10) / 10,
      address: ctx.ip,
      user: ctx.state.principal?.name,
      accessKeyId: ctx.state.accessKeyId,
      object: ctx.state.object?.slice(0, MAX_LOGGED_CHARS),
      refusal: ctx.state.refusal,
      reason: ctx.state.reason,
      ...(via === 'http' && !ctx.res.writableFinished ? { cutOff: true } : {}),
    },
    'request',
  );
}

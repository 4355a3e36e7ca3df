import type { Logger } from 'pino';
import { KeystowError } from '../../shared/errors.ts';
import type { Handler } from './context.ts';

/** RFC 7617; browsers then ask their user. */
const CHALLENGE = 'Basic realm="keystow", charset="UTF-8"';

/** The one place where an error becomes an answer. What is not meant for clients is a 500 without details. */
export function errorBoundary(log: Logger): Handler {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = toKeystowError(thrown, ctx.state.requestId);
      if (error.status >= 500)
        log.error({ id: ctx.state.requestId, err: error.cause ?? thrown }, error.message);
      ctx.state.refusal = error.code;
      ctx.status = error.status;
      if (error.code === 'unauthenticated') ctx.set('WWW-Authenticate', CHALLENGE);
      for (const [name, value] of Object.entries(error.headers)) ctx.set(name, value);
      ctx.body = { error: error.message };
    }
  };
}

function toKeystowError(thrown: unknown, requestId: string): KeystowError {
  if (thrown instanceof KeystowError) return thrown;
  return new KeystowError(
    'internal',
    `An unexpected error: the log tells more under the request id ${requestId}.`,
    { cause: thrown },
  );
}

import type { Logger } from 'pino';
import { z } from 'zod';
import type { KeystowError } from '../../shared/errors.ts';
import type { S3Error } from '../s3/s3-error.ts';
import { toAnswerable } from './answerable.ts';
import { isBasic } from './authenticate.ts';
import { drainBody } from './body.ts';
import type { Handler } from './context.ts';
import { type Exchange, JSON_TYPE } from './exchange.ts';
import { sendS3Error, toS3Failure } from './s3-answer.ts';
import type { S3Exchange } from './s3-exchange.ts';

/** The body of every error of a JSON route. */
export const errorAnswer = z
  .strictObject({
    error: z.string().meta({ description: 'One sentence that says what to change.' }),
  })
  .meta({ id: 'Error' });

/** RFC 7617; browsers then ask their user. */
const CHALLENGE = 'Basic realm="keystow", charset="UTF-8"';

/** Of what clients sent, in one line of the log. */
const MAX_LOGGED_CHARS = 1_024;

/**
 * The one place where an error becomes an answer: S3's XML on its routes, else JSON. What is not
 * meant for clients is a 500 without details.
 */
export function errorBoundary(log: Logger): Handler {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      if (ctx.state.isS3) await answerS3Error(ctx, thrown, log);
      else await answerJsonError(ctx, thrown, log);
    }
  };
}

export async function answerJsonError(
  exchange: Exchange,
  thrown: unknown,
  log: Logger,
): Promise<void> {
  const error = await toAnswer(exchange, thrown, log);
  exchange.status = error.status;
  if (error.code === 'unauthenticated') exchange.set('WWW-Authenticate', CHALLENGE);
  for (const [name, value] of Object.entries(error.headers)) exchange.set(name, value);
  exchange.set('Content-Type', JSON_TYPE);
  const members = 'members' in error ? error.members : {};
  exchange.body = JSON.stringify({ error: error.message, ...members });
}

async function toAnswer(
  { state, req, res }: Exchange,
  thrown: unknown,
  log: Logger,
): Promise<S3Error | KeystowError> {
  if (req && res && !state.envelope && !res.shouldKeepAlive) await drainBody(req);
  const error = toAnswerable(thrown, state.requestId);
  if (error.status >= 500 && error.status !== 501) {
    log.error({ id: state.requestId, err: error.cause ?? thrown }, error.message);
  }
  state.refusal = error.code;
  return error;
}

export async function answerS3Error(ctx: S3Exchange, thrown: unknown, log: Logger): Promise<void> {
  const error = await toAnswer(ctx, thrown, log);
  // Says which condition of a policy failed, or what was wrong with a header.
  ctx.state.reason = error.message.slice(0, MAX_LOGGED_CHARS);
  const failure = toS3Failure(error);
  // A challenge is for who tried Basic; to other clients S3 knows no 401.
  if (failure.status !== 401) sendS3Error(ctx, failure);
  else if (isBasic(ctx)) {
    ctx.set('WWW-Authenticate', CHALLENGE);
    sendS3Error(ctx, failure);
  } else sendS3Error(ctx, { ...failure, status: 403 });
}

import { KeystowError } from '../../shared/errors.ts';
import { type Authenticator, type Credentials, refused } from '../services/credentials.ts';
import type { Principal } from '../services/grants.ts';
import type { Context, Handler } from './context.ts';

/** Basic auth (RFC 7617), or the credentials of an envelope: sets `ctx.state.principal`. */
export function authenticate(authenticator: Authenticator): Handler {
  return async (ctx, next) => {
    const credentials = ctx.state.envelope
      ? ctx.state.envelope.credentials
      : parseBasic(ctx.get('authorization'));
    if (!credentials) throw missing(ctx);
    ctx.state.principal = await authenticator.verify(credentials, ctx.ip);
    await next();
  };
}

/** The principal of a route behind `authenticate`. */
export function principalOf(ctx: Context): Principal {
  if (!ctx.state.principal) throw new Error('The route is not behind authenticate.');
  return ctx.state.principal;
}

/** Whether the request has Basic credentials, right or wrong. */
export function isBasic(ctx: Context): boolean {
  return /^Basic /i.test(ctx.get('authorization'));
}

/** RFC 7617. Throws `unauthenticated` for what is no UTF-8 with a colon. */
export function parseBasic(header: string): Credentials | undefined {
  if (header === '') return undefined;
  const [, token] = /^Basic +([\w+/~.-]+=*) *$/i.exec(header) ?? [];
  if (token === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(token, 'base64'),
    );
  } catch {
    throw refused();
  }
  const colon = text.indexOf(':');
  if (colon < 0) throw refused();
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function missing(ctx: Context): KeystowError {
  return new KeystowError(
    'unauthenticated',
    ctx.state.envelope
      ? 'Send auth with username and password, in the envelope or in the handshake.'
      : 'Send the user name and password with HTTP Basic authentication.',
  );
}

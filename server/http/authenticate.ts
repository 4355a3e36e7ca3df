import { isUtf8 } from 'node:buffer';
import { KeystowError } from '../../shared/errors.ts';
import { type Authenticator, type Credentials, refused } from '../services/credentials.ts';
import type { Principal } from '../services/grants.ts';
import type { Handler } from './context.ts';
import type { Exchange } from './exchange.ts';

/** `identify` as middleware. */
export function authenticate(authenticator: Authenticator): Handler {
  return async (ctx, next) => {
    await identify(ctx, authenticator);
    await next();
  };
}

/** Basic auth (RFC 7617), or the credentials of an envelope: sets the principal. */
export async function identify(exchange: Exchange, authenticator: Authenticator): Promise<void> {
  const { state } = exchange;
  const credentials = state.envelope
    ? state.envelope.credentials
    : parseBasic(exchange.get('authorization'));
  if (!credentials) throw missing(exchange);
  state.principal = await authenticator.verify(credentials, exchange.ip);
}

/** Who was identified. */
export function principalOf({ state }: Exchange): Principal {
  if (!state.principal) throw new Error('The route is not behind authenticate.');
  return state.principal;
}

/** Whether the request has Basic credentials, right or wrong. */
export function isBasic(ctx: Exchange): boolean {
  return /^Basic /i.test(ctx.get('authorization'));
}

/** RFC 7617. Throws `unauthenticated` for what is no UTF-8 with a colon. */
export function parseBasic(header: string): Credentials | undefined {
  if (header === '') return undefined;
  const [, token] = /^Basic +([\w+/~.-]+=*) *$/i.exec(header) ?? [];
  if (token === undefined) return undefined;
  const bytes = Buffer.from(token, 'base64');
  if (!isUtf8(bytes)) throw refused();
  const text = bytes.toString();
  const colon = text.indexOf(':');
  if (colon < 0) throw refused();
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function missing({ state }: Exchange): KeystowError {
  return new KeystowError(
    'unauthenticated',
    state.envelope
      ? 'Send auth with username and password, in the envelope or in the handshake.'
      : 'Send the user name and password with HTTP Basic authentication.',
  );
}

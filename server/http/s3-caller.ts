import { EMPTY_PAYLOAD_HASH, UNSIGNED_PAYLOAD } from '../s3/canonical-request.ts';
import type { RawRequest } from '../s3/raw-request.ts';
import { parseRequestAuth } from '../s3/request-auth.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { ClaimV2, ClaimV4 } from '../s3/signature.ts';
import type { AccessKeys } from '../services/access-keys.ts';
import { ANONYMOUS, type Caller } from '../services/caller.ts';
import type { Authenticator } from '../services/credentials.ts';
import { parseBasic } from './authenticate.ts';
import type { Context } from './context.ts';
import { isForeign } from './origin.ts';

/** Who sends a request to an S3 route: by a signature, with Basic credentials, or anonymously. */
export interface S3Callers {
  /**
   * By the signature in a request's header or query, else as `unsigned`. `payloadHash` is the body's
   * SHA-256 in hex. Rejects with the S3Error of what is wrong with the signature.
   */
  ofRequest(ctx: Context, hostBucket: string | undefined, payloadHash?: string): Promise<Caller>;
  ofForm(ctx: Context, claim: ClaimV2 | ClaimV4): Promise<Caller>;
  /** With Basic credentials or anonymously. Rejects with `unauthenticated` for wrong credentials. */
  unsigned(ctx: Context): Promise<Caller>;
}

export function createS3Callers(options: {
  readonly accessKeys: AccessKeys;
  readonly authenticator: Authenticator;
  readonly corsOrigins: readonly string[];
  readonly now: () => number;
}): S3Callers {
  const { accessKeys, authenticator, corsOrigins, now } = options;

  async function unsigned(ctx: Context): Promise<Caller> {
    // A browser adds Basic credentials by itself: with a foreign page's request they do not count.
    if (isForeign(ctx.req.headers, ctx.host, corsOrigins)) return ANONYMOUS;
    const credentials = parseBasic(ctx.get('authorization'));
    if (!credentials) return ANONYMOUS;
    return remember(ctx, { principal: await authenticator.verify(credentials, ctx.ip) });
  }

  return {
    unsigned,

    async ofRequest(ctx, hostBucket, payloadHash = EMPTY_PAYLOAD_HASH) {
      const claim = parseRequestAuth(rawRequest(ctx, hostBucket), now());
      if (!claim) return unsigned(ctx);
      const caller = await accessKeys.authenticate(claim);
      // Session credentials are for a form.
      if (caller.upload) throw new S3Error('AccessDenied');
      if (claim.version === 'v4') checkPayloadHash(claim.payloadHash, payloadHash);
      return remember(ctx, caller);
    },

    async ofForm(ctx, claim) {
      return remember(ctx, await accessKeys.authenticate(claim));
    },
  };
}

/** For the log. */
function remember(ctx: Context, caller: Caller): Caller {
  if (caller.principal) ctx.state.principal = caller.principal;
  if (caller.accessKey) ctx.state.accessKeyId = caller.accessKey.id;
  return caller;
}

function checkPayloadHash(signed: string, calculated: string): void {
  if (signed === UNSIGNED_PAYLOAD || signed.toLowerCase() === calculated) return;
  if (signed.startsWith('STREAMING-')) {
    throw new S3Error('NotImplemented', {
      message: 'A request of this kind cannot be sent in signed chunks.',
    });
  }
  throw new S3Error('XAmzContentSHA256Mismatch', {
    extra: [
      ['ClientComputedContentSHA256', signed],
      ['S3ComputedContentSHA256', calculated],
    ],
  });
}

/** Whether the request carries an AWS signature, right or wrong. */
export function isSigned(ctx: Context): boolean {
  return (
    /^AWS/i.test(ctx.get('authorization')) ||
    /(?:^|&)(?:X-Amz-Algorithm|Signature)=/.test(ctx.querystring)
  );
}

function rawRequest(ctx: Context, hostBucket: string | undefined): RawRequest {
  const url = ctx.req.url ?? '/';
  const query = url.indexOf('?');
  const { rawHeaders } = ctx.req;
  return {
    method: ctx.method,
    rawPath: query < 0 ? url : url.slice(0, query),
    rawQuery: query < 0 ? '' : url.slice(query + 1),
    headers: rawHeaders.flatMap((name, at) => {
      if (at % 2 === 1) return [];
      // What the client signed is what a trusted proxy says that it sent.
      const value = name.toLowerCase() === 'host' ? ctx.host : rawHeaders[at + 1];
      return [[name, value ?? ''] as const];
    }),
    hostBucket,
  };
}

import { EMPTY_PAYLOAD_HASH } from '../s3/canonical-request.ts';
import { createChunkSignatures } from '../s3/chunk-signature.ts';
import type { RawRequest } from '../s3/raw-request.ts';
import { parseRequestAuth } from '../s3/request-auth.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { ClaimV2, ClaimV4, RequestClaimV4 } from '../s3/signature.ts';
import type { AccessKeys, Authenticated } from '../services/access-keys.ts';
import { ANONYMOUS, type Caller } from '../services/caller.ts';
import type { Authenticator } from '../services/credentials.ts';
import { parseBasic } from './authenticate.ts';
import type { Context } from './context.ts';
import { isForeign } from './origin.ts';
import type { S3Exchange } from './s3-exchange.ts';
import { type S3Headers, s3Headers } from './s3-headers.ts';
import { checkPayloadHash, openPayload, type Payload } from './s3-payload.ts';

/** Who sends a request to an S3 route: by a signature, with Basic credentials, or anonymously. */
export interface S3Callers {
  /**
   * Of a request without a body: by the signature in its header or query, else as `unsigned`. Rejects
   * with the S3Error of what is wrong with the signature.
   */
  ofRequest(ctx: Context, hostBucket: string | undefined): Promise<Caller>;
  /** The same of a request with a body, none of which is read yet. Rejects as openPayload does, too. */
  ofUpload(ctx: Context, hostBucket: string | undefined): Promise<S3Upload>;
  ofForm(ctx: S3Exchange, claim: ClaimV2 | ClaimV4): Promise<Caller>;
  /** With Basic credentials or anonymously. Rejects with `unauthenticated` for wrong credentials. */
  unsigned(ctx: S3Exchange): Promise<Caller>;
}

export interface S3Upload {
  readonly caller: Caller;
  readonly headers: S3Headers;
  readonly payload: Payload;
}

export function createS3Callers(options: {
  readonly accessKeys: AccessKeys;
  readonly authenticator: Authenticator;
  readonly corsOrigins: readonly string[];
  readonly now: () => number;
}): S3Callers {
  const { accessKeys, authenticator, corsOrigins, now } = options;

  async function unsigned(ctx: S3Exchange): Promise<Caller> {
    // A browser adds Basic credentials by itself: with a foreign page's request they do not count.
    if (isForeign(ctx.req.headers, ctx.host, corsOrigins)) return anonymous(ctx);
    const credentials = parseBasic(ctx.get('authorization'));
    if (!credentials) return anonymous(ctx);
    return remember(ctx, { principal: await authenticator.verify(credentials, ctx.ip) });
  }

  async function signed(ctx: Context, claim: ClaimV2 | RequestClaimV4): Promise<Authenticated> {
    const authenticated = await accessKeys.authenticate(claim);
    // Session credentials are for a form.
    if (authenticated.caller.upload) throw new S3Error('AccessDenied');
    return { ...authenticated, caller: remember(ctx, authenticated.caller) };
  }

  return {
    unsigned,

    async ofRequest(ctx, hostBucket) {
      const claim = parseRequestAuth(rawRequest(ctx, hostBucket), now());
      if (!claim) return unsigned(ctx);
      const { caller } = await signed(ctx, claim);
      if (claim.version === 'v4') checkPayloadHash(claim.payloadHash, EMPTY_PAYLOAD_HASH);
      return caller;
    },

    async ofUpload(ctx, hostBucket) {
      const claim = parseRequestAuth(rawRequest(ctx, hostBucket), now());
      const isUrlSigned = claim !== undefined && !isHeaderSigned(ctx);
      const headers = s3Headers(ctx, isUrlSigned);
      if (claim?.version !== 'v4') {
        const caller = claim ? (await signed(ctx, claim)).caller : await unsigned(ctx);
        return { caller, headers, payload: openPayload(ctx, headers, undefined, () => undefined) };
      }
      const { caller, signingKey } = await signed(ctx, claim);
      const { scope, amzDate, signature: seed } = claim;
      const payload = openPayload(
        ctx,
        headers,
        claim.payloadHash,
        () =>
          signingKey && createChunkSignatures({ signingKey: signingKey(), scope, amzDate, seed }),
      );
      return { caller, headers, payload };
    },

    async ofForm(ctx, claim) {
      return remember(ctx, (await accessKeys.authenticate(claim)).caller);
    },
  };
}

/** For the log. */
function remember(ctx: S3Exchange, caller: Caller): Caller {
  if (caller.principal) ctx.state.principal = caller.principal;
  if (caller.accessKey) ctx.state.accessKeyId = caller.accessKey.id;
  return { ...caller, requestId: ctx.state.requestId };
}

function anonymous(ctx: S3Exchange): Caller {
  return { ...ANONYMOUS, requestId: ctx.state.requestId };
}

/** Whether the request carries an AWS signature, right or wrong. */
export function isSigned(ctx: S3Exchange): boolean {
  return isHeaderSigned(ctx) || /(?:^|&)(?:X-Amz-Algorithm|Signature)=/.test(ctx.querystring);
}

function isHeaderSigned(ctx: S3Exchange): boolean {
  return /^AWS/i.test(ctx.get('authorization'));
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

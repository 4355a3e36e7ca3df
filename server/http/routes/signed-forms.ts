import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import { z } from 'zod';
import { anonymousFormInput, formInput, submissionsInput } from '../../services/form-input.ts';
import { formAnswer, type SignedForm, type SignedForms } from '../../services/signed-forms.ts';
import { isBasic, principalOf } from '../authenticate.ts';
import { baseUrl } from '../base-url.ts';
import { jsonBody, optionalJsonBody, parseInput } from '../body.ts';
import type { Context, Handler, State } from '../context.ts';

export interface SignedFormOptions {
  readonly signedForms: SignedForms;
  readonly publicUrl: string | undefined;
  /** `create_signed_url` needs no credentials. */
  readonly anonymousSigning: boolean;
}

/** The body of `create_signed_url`, a command as its clients know it. */
const commandInput = z.object({
  uuid: z.string().max(256).nullish(),
  command: z
    .literal('CreateSignedS3FormData', { error: 'must be CreateSignedS3FormData' })
    .nullish(),
  data: z.unknown().optional(),
  async: z.unknown().optional(),
});
/** The same for those who read schemas: `data` is looked at by what the caller may say in it. */
export const commandBody = commandInput
  .extend({ data: formInput.nullish() })
  .meta({ id: 'CommandInput' });

export const commandAnswer = z
  .strictObject({
    status: z.literal('accepted'),
    meta: z.strictObject({}),
    uuid: z.string(),
    data: z.strictObject({ fields: formAnswer.shape.fields, url: formAnswer.shape.url }),
  })
  .meta({ id: 'CommandAnswer' });

export function signedFormRoutes(
  router: Router<State>,
  authenticated: Handler,
  { signedForms, publicUrl, anonymousSigning }: SignedFormOptions,
): void {
  const optionallyAuthenticated: Handler = (ctx, next) =>
    anonymousSigning && !hasCredentials(ctx) ? next() : authenticated(ctx, next);

  async function sign(ctx: Context, data: unknown): Promise<SignedForm> {
    const isObject = typeof data === 'object' && data !== null && !Array.isArray(data);
    const given = isObject ? data : {};
    const base = baseUrl(ctx, publicUrl);
    const { principal } = ctx.state;
    if (!principal) {
      const input = parseInput(anonymousFormInput, given, 'data');
      return signedForms.createAnonymously(base, input);
    }
    return signedForms.create({ principal, base }, parseInput(formInput, given, 'data'));
  }

  router.post(
    '/api/v2/s3/create_signed_url',
    optionallyAuthenticated,
    optionalJsonBody,
    async (ctx) => {
      const start = performance.now();
      const command = parseInput(commandInput, ctx.request.body);
      const { fields, url } = await sign(ctx, command.data);
      ctx.status = 202;
      ctx.set('Cache-Control', 'no-cache');
      ctx.set('X-Runtime', ((performance.now() - start) / 1_000).toFixed(6));
      ctx.body = {
        status: 'accepted',
        meta: {},
        uuid: command.uuid ?? randomUUID(),
        data: { fields, url },
      } satisfies z.infer<typeof commandAnswer>;
    },
  );

  router.post('/submit-files', authenticated, jsonBody, async (ctx) => {
    const files = parseInput(submissionsInput, ctx.request.body);
    const signer = { principal: principalOf(ctx), base: baseUrl(ctx, publicUrl) };
    const forms = await signedForms.submit(signer, files);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = forms.map(({ fileName, spektrDataField, url, fields }) => ({
      fileName,
      spektrDataField,
      url,
      fields,
    }));
  });

  router.get('/submit-files', authenticated, async (ctx) => {
    ctx.body = await signedForms.arrived(principalOf(ctx));
  });
}

/** What a gateway leaves in the request, such as its own Bearer token, is none of ours. */
function hasCredentials(ctx: Context): boolean {
  const { envelope } = ctx.state;
  return envelope ? envelope.hasAuth : isBasic(ctx);
}

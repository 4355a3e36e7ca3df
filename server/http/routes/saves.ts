import type Router from '@koa/router';
import { z } from 'zod';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_PAGE_SLOTS } from '../../../shared/limits.ts';
import { MAX_SAVE_N, MAX_SAVE_VERSION, paddedSlot } from '../../s3/save-key.ts';
import { saveFormInput } from '../../services/form-input.ts';
import type { Objects } from '../../services/objects.ts';
import type { SaveScope, Saves } from '../../services/saves.ts';
import { formAnswer, type SignedForms } from '../../services/signed-forms.ts';
import { principalOf } from '../authenticate.ts';
import { baseUrl } from '../base-url.ts';
import { jsonBody, optionalJsonBody, parseInput } from '../body.ts';
import type { Context, Handler, State } from '../context.ts';
import { linkNext, parseQuery, parseWhole } from '../target.ts';
import { sendObject } from './objects.ts';

export interface SaveRouteOptions {
  readonly saves: Saves;
  readonly objects: Objects;
  readonly signedForms: SignedForms;
  readonly publicUrl: string | undefined;
}

const version = z.int().min(0).max(MAX_SAVE_VERSION);
export const restoreInput = z.strictObject({ version }).meta({ id: 'RestoreInput' });

/** The form for a slot's next version. */
export const saveFormAnswer = z
  .strictObject({ slot: z.string(), version, key: z.string(), ...formAnswer.shape })
  .meta({ id: 'SaveForm' });

export function saveRoutes(
  router: Router<State>,
  authenticated: Handler,
  { saves, objects, signedForms, publicUrl }: SaveRouteOptions,
): void {
  router.get('/api/saves/:bucket', authenticated, async (ctx) => {
    const query = parseQuery(ctx);
    const after = query.get('after');
    const limit = parseWhole('limit', query.get('limit') ?? `${MAX_PAGE_SLOTS}`, 1, MAX_PAGE_SLOTS);
    const page = { after: after === undefined ? undefined : parseSlot(after), limit: limit + 1 };
    const slots = await saves.slots(principalOf(ctx), scopeOf(ctx), page);
    const last = slots[limit - 1];
    if (slots.length > limit && last) linkNext(ctx, last.slot, limit);
    ctx.body = slots.slice(0, limit);
  });

  router.get('/api/saves/:bucket/:slot', authenticated, async (ctx) => {
    ctx.body = await saves.versions(principalOf(ctx), scopeOf(ctx), slotOf(ctx));
  });

  router.post('/api/saves/:bucket/:slot', authenticated, optionalJsonBody, async (ctx) => {
    const input = parseInput(saveFormInput, ctx.request.body);
    const principal = principalOf(ctx);
    const target = await saves.next(principal, scopeOf(ctx), slotOf(ctx));
    const signer = { principal, base: baseUrl(ctx, publicUrl) };
    const { key, url, fields } = await signedForms.save(signer, target, input);
    ctx.body = {
      slot: paddedSlot(target.slot.slot),
      version: target.version,
      key,
      url,
      fields,
    } satisfies z.infer<typeof saveFormAnswer>;
  });

  router.get('/api/saves/:bucket/:slot/:version', authenticated, async (ctx) => {
    if (ctx.state.envelope) {
      throw new KeystowError('not-acceptable', 'The bytes of a save are for HTTP: GET them there.');
    }
    const { version: text = '' } = ctx.params;
    const wanted = text === 'latest' ? text : parseWhole('version', text, 0, MAX_SAVE_VERSION);
    await sendObject(ctx, objects, () =>
      saves.find(principalOf(ctx), scopeOf(ctx), slotOf(ctx), wanted),
    );
  });

  router.post('/api/saves/:bucket/:slot/restore', authenticated, jsonBody, async (ctx) => {
    const old = parseInput(restoreInput, ctx.request.body);
    ctx.status = 201;
    const { requestId } = ctx.state;
    const slot = slotOf(ctx);
    ctx.body = await saves.restore(principalOf(ctx), scopeOf(ctx), slot, old.version, requestId);
  });
}

type RouteContext = Context & { readonly params: Readonly<Record<string, string>> };

function scopeOf(ctx: RouteContext): SaveScope {
  const query = parseQuery(ctx);
  const n = parseWhole('n', query.get('n') ?? '1', 0, MAX_SAVE_N);
  return { bucket: ctx.params['bucket'] ?? '', prefix: query.get('prefix') || undefined, n };
}

function slotOf(ctx: RouteContext): number {
  return parseSlot(ctx.params['slot'] ?? '');
}

function parseSlot(text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new KeystowError('bad-request', 'A slot is a number of at most 11 digits.');
}

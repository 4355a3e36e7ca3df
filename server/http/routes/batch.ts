import type Router from '@koa/router';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_BYTES_UNDER_WAY } from '../../../shared/limits.ts';
import type { Batches, Changed } from '../../services/batch.ts';
import { resourceUrl } from '../../services/resource-url.ts';
import { principalOf } from '../authenticate.ts';
import { type BatchRequest, parseBatch } from '../batch-requests.ts';
import { checkJsonType, readBody } from '../body.ts';
import type { Context, Handler, State } from '../context.ts';
import { answerHeaders, answerJson, errorAnswer, type InnerAnswer } from '../envelope-answer.ts';
import { JSON_TYPE } from '../exchange.ts';

export interface BatchRouteOptions {
  readonly batches: Batches;
  readonly maxDocumentBytes: number;
}

const NO_CONTENT: InnerAnswer = { status: 204, headers: undefined, body: '', isJson: true };

export function batchRoutes(
  router: Router<State>,
  authenticated: Handler,
  { batches, maxDocumentBytes }: BatchRouteOptions,
): void {
  let bytesUnderWay = 0;

  /** Bodies are held in memory, several times over while they are parsed. */
  async function withRoom(bytes: number, work: () => Promise<void>): Promise<void> {
    if (bytesUnderWay + bytes > MAX_BATCH_BYTES_UNDER_WAY) {
      throw new KeystowError('unavailable', 'Too many batches are under way: try again.', {
        headers: { 'Retry-After': '1' },
      });
    }
    bytesUnderWay += bytes;
    try {
      await work();
    } finally {
      bytesUnderWay -= bytes;
    }
  }

  async function answer(ctx: Context): Promise<void> {
    const requests = await parseBatch(await readBody(ctx, MAX_BATCH_BYTES), maxDocumentBytes);
    const members = requests.map(({ member }) => member);
    const outcome = await batches.commit(principalOf(ctx), members);
    ctx.set('Content-Type', JSON_TYPE);
    if ('changed' in outcome) {
      const answers = requests.map((request, index) => {
        const changed = outcome.changed[index];
        return changed ? changedJson(request, changed) : '';
      });
      ctx.status = 200;
      ctx.body = `[${answers.join(',')}]`;
      return;
    }
    const failures = [...outcome.failed].map(([index, error]) =>
      failureJson(index, requests[index], error),
    );
    const count = `${failures.length} of ${requests.length}`;
    const error = `Nothing was stored, since ${count} members failed: mend them and send all again.`;
    ctx.state.refusal = 'conflict';
    ctx.status = 409;
    ctx.body = `{"error":${JSON.stringify(error)},"answers":[${failures.join(',')}]}`;
  }

  router.post('/api/batch', authenticated, async (ctx) => {
    checkJsonType(ctx);
    await withRoom(expectedBytes(ctx), () => answer(ctx));
  });
}

/** A chunked body may be as large as any. */
function expectedBytes(ctx: Context): number {
  if (ctx.state.envelope) return ctx.state.envelope.body.length;
  const length = ctx.get('content-length');
  return length === '' ? MAX_BATCH_BYTES : Math.min(Number(length), MAX_BATCH_BYTES);
}

function changedJson({ echo, member, wantsText }: BatchRequest, changed: Changed): string {
  const { text, etag, isNew } = changed;
  if (text === null) return answerJson(echo, NO_CONTENT, wantsText);
  const location =
    isNew && !(member instanceof KeystowError) ? resourceUrl('data', member.key) : undefined;
  const headers = answerHeaders((name) => ({ ETag: etag, Location: location })[name]);
  const status = isNew ? 201 : 200;
  return answerJson(echo, { status, headers, body: text.toString(), isJson: true }, wantsText);
}

function failureJson(
  index: number,
  request: BatchRequest | undefined,
  error: KeystowError,
): string {
  return answerJson({ index, ...request?.echo }, errorAnswer(error), false);
}

import type Router from '@koa/router';
import { KeystowError } from '../../../shared/errors.ts';
import { type Buckets, bucketInput } from '../../services/buckets.ts';
import { principalOf } from '../authenticate.ts';
import { jsonBody, parseInput } from '../body.ts';
import type { Handler, State } from '../context.ts';
import { decodeAfter } from '../target.ts';

const BUCKETS = '/api/buckets';
const BUCKET_PATH = /^\/api\/buckets\/.*$/s;

/** Buckets as JSON; S3's own calls for them are in s3-buckets.ts. */
export function bucketApiRoutes(
  router: Router<State>,
  authenticated: Handler,
  buckets: Buckets,
): void {
  router.get(BUCKETS, authenticated, async (ctx) => {
    ctx.body = await buckets.list(principalOf(ctx));
  });

  router.put(BUCKET_PATH, authenticated, jsonBody, async (ctx) => {
    const name = decodeAfter(ctx, `${BUCKETS}/`);
    const input = parseInput(bucketInput, ctx.request.body);
    const { bucket, isNew } = await buckets.put(name, input, { principal: principalOf(ctx) });
    ctx.status = isNew ? 201 : 200;
    ctx.body = bucket;
  });

  router.delete(BUCKET_PATH, authenticated, async (ctx) => {
    const name = decodeAfter(ctx, `${BUCKETS}/`);
    const outcome = await buckets.remove(name, { principal: principalOf(ctx) });
    if (outcome === 'absent') throw new KeystowError('not-found', `There is no bucket ${name}.`);
    if (outcome === 'not-empty') {
      throw new KeystowError('conflict', `${name} has objects in it: delete them first.`);
    }
    ctx.status = 204;
  });
}

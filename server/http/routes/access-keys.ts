import type Router from '@koa/router';
import { type AccessKeys, accessKeyInput } from '../../services/access-keys.ts';
import { principalOf } from '../authenticate.ts';
import { optionalJsonBody, parseInput } from '../body.ts';
import type { Handler, State } from '../context.ts';
import { decodeAfter } from '../target.ts';

const ACCESS_KEYS = '/api/access-keys';

export function accessKeyRoutes(
  router: Router<State>,
  authenticated: Handler,
  accessKeys: AccessKeys,
): void {
  router.get(ACCESS_KEYS, authenticated, async (ctx) => {
    ctx.body = await accessKeys.list(principalOf(ctx));
  });

  router.post(ACCESS_KEYS, authenticated, optionalJsonBody, async (ctx) => {
    const input = parseInput(accessKeyInput, ctx.request.body);
    const pair = await accessKeys.create(input, principalOf(ctx));
    ctx.status = 201;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = pair;
  });

  router.delete(/^\/api\/access-keys\/.*$/s, authenticated, async (ctx) => {
    await accessKeys.remove(decodeAfter(ctx, `${ACCESS_KEYS}/`), principalOf(ctx));
    ctx.status = 204;
  });
}

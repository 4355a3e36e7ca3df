import type Router from '@koa/router';
import { checkAdmin } from '../../services/grants.ts';
import { type Users, userInput } from '../../services/users.ts';
import { principalOf } from '../authenticate.ts';
import { jsonBody, parseInput } from '../body.ts';
import type { Handler, State } from '../context.ts';
import { decodeAfter } from '../target.ts';

const USER_PATH = /^\/api\/users\/.*$/s;
const adminOnly: Handler = async (ctx, next) => {
  checkAdmin(principalOf(ctx));
  await next();
};

export function userRoutes(router: Router<State>, authenticated: Handler, users: Users): void {
  router.get('/api/users', authenticated, adminOnly, async (ctx) => {
    ctx.body = await users.list();
  });

  router.put(USER_PATH, authenticated, adminOnly, jsonBody, async (ctx) => {
    const name = decodeAfter(ctx, '/api/users/');
    const input = parseInput(userInput, ctx.request.body);
    const { user, isNew } = await users.put(name, input, principalOf(ctx));
    ctx.status = isNew ? 201 : 200;
    ctx.body = user;
  });

  router.delete(USER_PATH, authenticated, adminOnly, async (ctx) => {
    await users.remove(decodeAfter(ctx, '/api/users/'), principalOf(ctx));
    ctx.status = 204;
  });
}

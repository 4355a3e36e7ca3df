import type Router from '@koa/router';
import { z } from 'zod';
import { version } from '../../version.ts';
import type { State } from '../context.ts';
import { parseQuery } from '../target.ts';

export const healthAnswer = z
  .strictObject({ status: z.literal('ok'), version: z.string() })
  .meta({ id: 'Health' });

export const aboutAnswer = z
  .strictObject({ name: z.literal('keystow'), version: z.string() })
  .meta({ id: 'About' });

/** Liveness; with `?ready` whether it should get requests: 503 while it stops or has no store. */
export function healthRoutes(router: Router<State>, checkReady: () => Promise<void>): void {
  router.get('/api/health', async (ctx) => {
    if (parseQuery(ctx).has('ready')) await checkReady();
    ctx.body = { status: 'ok', version } satisfies z.infer<typeof healthAnswer>;
  });

  router.get('/', (ctx) => {
    // A browser is sent to the console before it comes here.
    ctx.body = { name: 'keystow', version } satisfies z.infer<typeof aboutAnswer>;
  });
}

import type Router from '@koa/router';
import { version } from '../../version.ts';
import type { State } from '../context.ts';

export function healthRoutes(router: Router<State>): void {
  router.get('/api/health', (ctx) => {
    ctx.body = { status: 'ok', version };
  });

  router.get('/', (ctx) => {
    // A browser names HTML; clients that take anything (curl's */*) get the JSON.
    if (ctx.accepts('application/json', 'text/html') === 'text/html') ctx.redirect('/console');
    else ctx.body = { name: 'keystow', version };
  });
}

import Koa from 'koa';
import { readBody } from './read-body.ts';
import { document, LIST_PATH, list } from './routes.ts';

const app = new Koa();
app.use(async (ctx) => {
  if (ctx.method === 'POST') ctx.body = await readBody(ctx.req);
  else ctx.body = ctx.path === LIST_PATH ? list : document;
  ctx.type = 'application/json';
});
app.listen(Number(process.argv[2]), '127.0.0.1');

import { createHash } from 'node:crypto';
import type Router from '@koa/router';
import { isNoneMatch, parsePreconditions } from '../../services/preconditions.ts';
import { version } from '../../version.ts';
import type { Handler, State } from '../context.ts';

interface Rendered {
  readonly text: string;
  readonly etag: string;
}

/** The OpenAPI document, made when it is first asked for: it takes longer than starting may. */
export function openapiRoutes(
  router: Router<State>,
  authenticated: Handler,
  { publicUrl, anonymousSigning }: { publicUrl: string | undefined; anonymousSigning: boolean },
): void {
  let rendered: Promise<Rendered> | undefined;

  async function render(): Promise<Rendered> {
    const [{ operations }, { renderDocument }] = await Promise.all([
      import('../../openapi/operations.ts'),
      import('../../openapi/render.ts'),
    ]);
    const text = JSON.stringify(
      renderDocument(operations, { version, publicUrl, anonymousSigning }),
    );
    const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    return { text, etag: `"${hash}"` };
  }

  router.get('/api/openapi.json', authenticated, async (ctx) => {
    rendered ??= render();
    const { text, etag } = await rendered;
    const pre = parsePreconditions(undefined, ctx.headers['if-none-match']);
    ctx.set('ETag', etag);
    ctx.set('Cache-Control', 'no-cache');
    if (isNoneMatch(pre, etag)) {
      ctx.type = 'application/json';
      ctx.body = text;
    } else ctx.status = 304;
  });
}

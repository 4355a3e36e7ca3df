import { createHash, timingSafeEqual } from 'node:crypto';
import type Router from '@koa/router';
import { KeystowError } from '../../../shared/errors.ts';
import type { Authenticator } from '../../services/credentials.ts';
import { checkAdmin } from '../../services/grants.ts';
import { identify, principalOf } from '../authenticate.ts';
import type { State } from '../context.ts';

export interface MetricsOptions {
  readonly authenticator: Authenticator;
  /** What a collector sends instead of an admin's password. */
  readonly metricsToken: string | undefined;
  readonly metrics: () => Promise<string>;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus' text, for an admin or for who has the token (RFC 6750). */
export function metricsRoutes(router: Router<State>, options: MetricsOptions): void {
  const { authenticator, metricsToken, metrics } = options;

  router.get('/api/metrics', async (ctx) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(ctx.get('authorization')) ?? [];
    if (token === undefined) {
      await identify(ctx, authenticator);
      checkAdmin(principalOf(ctx));
    } else if (metricsToken === undefined || !isSame(token, metricsToken)) {
      throw new KeystowError(
        'unauthenticated',
        'Wrong token: send the METRICS_TOKEN of this server, or an admin with Basic authentication.',
      );
    }
    ctx.set('Cache-Control', 'no-store');
    ctx.type = TEXT_TYPE;
    ctx.body = await metrics();
  });
}

/** In the same time whatever they have in common, and however long they are. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

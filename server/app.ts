import Router from '@koa/router';
import Koa, { type ParameterizedContext } from 'koa';
import type { Logger } from 'pino';
import { KeystowError } from '../shared/errors.ts';
import { authenticate } from './http/authenticate.ts';
import { serveConsole } from './http/console.ts';
import type { Handler, State } from './http/context.ts';
import { errorBoundary } from './http/error-boundary.ts';
import { allowOrigins, refuseForeignOrigins } from './http/origin.ts';
import { requestLog } from './http/request-log.ts';
import { type RequestMeter, UNKNOWN } from './http/request-meter.ts';
import { accessKeyRoutes } from './http/routes/access-keys.ts';
import { backupRoutes } from './http/routes/backup.ts';
import { batchRoutes } from './http/routes/batch.ts';
import { bucketApiRoutes } from './http/routes/buckets.ts';
import { changeRoutes } from './http/routes/changes.ts';
import { deleteObjectsRoutes } from './http/routes/delete-objects.ts';
import { type DocumentOperations, documentRoutes } from './http/routes/documents.ts';
import { healthRoutes } from './http/routes/health.ts';
import { metricsRoutes } from './http/routes/metrics.ts';
import { multipartUploadRoutes } from './http/routes/multipart-uploads.ts';
import { objectApiRoutes } from './http/routes/object-api.ts';
import { objectRoutes } from './http/routes/objects.ts';
import { openapiRoutes } from './http/routes/openapi.ts';
import { putObjectRoutes } from './http/routes/put-objects.ts';
import { bucketRoutes, serviceRoutes } from './http/routes/s3-buckets.ts';
import { listRoutes } from './http/routes/s3-lists.ts';
import { bucketSettingRoutes, objectSettingRoutes } from './http/routes/s3-settings.ts';
import { saveRoutes } from './http/routes/saves.ts';
import { signedFormRoutes } from './http/routes/signed-forms.ts';
import { postObject } from './http/routes/uploads.ts';
import { userRoutes } from './http/routes/users.ts';
import { createS3Callers } from './http/s3-caller.ts';
import { type BucketOfHost, type S3Routes, s3Requests } from './http/s3-requests.ts';
import type { AccessKeys } from './services/access-keys.ts';
import type { Backups } from './services/backups.ts';
import type { Batches } from './services/batch.ts';
import type { Buckets } from './services/buckets.ts';
import type { Changes } from './services/changes.ts';
import type { Authenticator } from './services/credentials.ts';
import type { MultipartUploads } from './services/multipart-uploads.ts';
import type { Objects } from './services/objects.ts';
import type { PresignedUrls } from './services/presigned-urls.ts';
import type { Saves } from './services/saves.ts';
import type { SignedForms } from './services/signed-forms.ts';
import type { Users } from './services/users.ts';

export interface AppServices {
  readonly authenticator: Authenticator;
  readonly documentOperations: DocumentOperations;
  readonly batches: Batches;
  readonly maxDocumentBytes: number;
  readonly users: Users;
  readonly changes: Changes;
  readonly slowReaderMs?: number | undefined;
  readonly backups: Backups;
  readonly accessKeys: AccessKeys;
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly uploads: MultipartUploads;
  readonly presignedUrls: PresignedUrls;
  readonly saves: Saves;
  readonly signedForms: SignedForms;
  readonly log: Logger;
  readonly meter: RequestMeter;
  readonly now: () => number;
  readonly maxUploadBytes: number;
  readonly bucketOfHost: BucketOfHost;
  /** Base of the URLs in answers; undefined: what the request was sent to. */
  readonly publicUrl: string | undefined;
  /** Rejects with `unavailable` where this node should get no requests. */
  readonly checkReady: () => Promise<void>;
  readonly metricsToken: string | undefined;
  readonly metrics: () => Promise<string>;
  readonly region: string;
  readonly anonymousSigning: boolean;
  /** Origins whose pages may use the JSON routes. */
  readonly corsOrigins: readonly string[];
  /** Believe `X-Forwarded-For`, `-Proto` and `-Host` of the nearest proxy. */
  readonly trustProxy: boolean;
}

/** What writing an answer ends with when nobody takes it any more. */
const CLIENT_GONE = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']);

/** The application: envelopes and HTTP requests take the same way through it. */
export function createApp(services: AppServices): Koa<State> {
  const app = new Koa<State>({ proxy: services.trustProxy, maxIpsCount: 1 });
  // What comes here came after the answer had begun: the connection is cut off, so that no client
  // takes a part for the whole. Clients that went away are in the request log already.
  app.on('error', (error: NodeJS.ErrnoException, ctx?: ParameterizedContext<State>) => {
    if (CLIENT_GONE.has(error.code ?? '')) return;
    services.log.error({ id: ctx?.state.requestId, err: error }, 'answer broken off');
  });

  const router = createRouter(services);

  app.use(requestLog(services.log, services.meter));
  app.use(errorBoundary(services.log));
  app.use(s3Requests(s3Routes(services), services));
  app.use(serveConsole(services.publicUrl));
  app.use(refuseForeignOrigins(services.corsOrigins));
  if (services.corsOrigins.length > 0) app.use(allowOrigins(services.corsOrigins));
  app.use(refuseUnanswered);
  app.use(rememberRoute);
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

/** The JSON routes. Each has its operation in openapi/. */
export function createRouter(services: AppServices): Router<State> {
  const router = new Router<State>({ strict: true, sensitive: true });
  const authenticated = authenticate(services.authenticator);
  healthRoutes(router, services.checkReady);
  metricsRoutes(router, services);
  userRoutes(router, authenticated, services.users);
  signedFormRoutes(router, authenticated, services);
  saveRoutes(router, authenticated, services);
  accessKeyRoutes(router, authenticated, services.accessKeys);
  bucketApiRoutes(router, authenticated, services.buckets);
  objectApiRoutes(router, authenticated, services);
  changeRoutes(router, authenticated, services);
  backupRoutes(router, authenticated, services);
  documentRoutes(router, authenticated, services.documentOperations);
  batchRoutes(router, authenticated, services);
  openapiRoutes(router, authenticated, services);
  return router;
}

function s3Routes(services: AppServices): S3Routes {
  const options = { ...services, callers: createS3Callers(services) };
  const post = { POST: postObject(options) };
  return {
    service: { ...serviceRoutes(options), ...post },
    bucket: {
      ...listRoutes(options),
      ...bucketRoutes(options),
      ...bucketSettingRoutes(options),
      ...deleteObjectsRoutes(options),
      ...post,
    },
    object: {
      ...objectRoutes(options),
      ...putObjectRoutes(options),
      ...multipartUploadRoutes(options),
      ...objectSettingRoutes(options),
    },
  };
}

/** Which route took the request, whatever came of it. */
const rememberRoute: Handler = async (ctx, next) => {
  try {
    await next();
  } finally {
    ctx.state.route = patternOf(ctx['_matchedRoute']);
  }
};

/** As `/api/users/*`, also of a route that is a regular expression. */
function patternOf(route: unknown): string {
  if (typeof route === 'string') return route;
  return route instanceof RegExp
    ? route.source.replace(/^\^|\$$|\\/g, '').replaceAll('.*', '*')
    : UNKNOWN;
}

/** An unknown path is a 404; a method that the path lacks a 405, whose `Allow` the router has set. */
const refuseUnanswered: Handler = async (ctx, next) => {
  await next();
  if (ctx.body !== undefined) return;
  const allow = ctx.response.get('Allow');
  if ((ctx.status === 405 || ctx.status === 501) && allow) {
    throw new KeystowError('method-not-allowed', `${ctx.path} takes ${allow}, not ${ctx.method}.`);
  }
  if (ctx.status === 404 || ctx.status === 501) {
    throw new KeystowError('not-found', `There is nothing at ${ctx.path}.`);
  }
};

import type Router from '@koa/router';
import { z } from 'zod';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_PAGE_OBJECTS } from '../../../shared/limits.ts';
import { cannedAcls } from '../../s3/canned-acl.ts';
import { quotedEtag, time } from '../../services/answer-parts.ts';
import type { Buckets } from '../../services/buckets.ts';
import { readablePrefixes } from '../../services/grants.ts';
import type { Objects, StoredObject } from '../../services/objects.ts';
import {
  type PresignedUrls,
  type presignAnswer,
  presignInput,
} from '../../services/presigned-urls.ts';
import { principalOf } from '../authenticate.ts';
import { baseUrl } from '../base-url.ts';
import { jsonBody, parseInput } from '../body.ts';
import type { Context, Handler, State } from '../context.ts';
import { linkNext, parseQuery, parseWhole } from '../target.ts';

export interface ObjectApiOptions {
  readonly buckets: Buckets;
  readonly objects: Objects;
  readonly presignedUrls: PresignedUrls;
  readonly publicUrl: string | undefined;
}

type ObjectAnswer = z.infer<typeof objectAnswer>;

const objectAnswer = z
  .strictObject({
    key: z.string(),
    size: z.int().min(0),
    etag: quotedEtag,
    time,
    contentType: z.string().optional(),
    acl: z.enum(cannedAcls),
  })
  .meta({ id: 'StoredObject' });

export const objectPageAnswer = z
  .strictObject({
    objects: z.array(objectAnswer),
    prefixes: z.array(z.string()).meta({ description: 'What `delimiter` rolls up.' }),
    next: z.string().optional().meta({ description: '`after` of the next page.' }),
  })
  .meta({ id: 'ObjectPage' });

/** Objects for those without an S3 client at hand: what lies in a bucket, and URLs for anybody. */
export function objectApiRoutes(
  router: Router<State>,
  authenticated: Handler,
  { buckets, objects, presignedUrls, publicUrl }: ObjectApiOptions,
): void {
  router.get('/api/objects/:bucket', authenticated, async (ctx) => {
    const name = ctx.params['bucket'] ?? '';
    const query = parseQuery(ctx);
    const prefix = query.get('prefix') ?? '';
    const limit = parseWhole(
      'limit',
      query.get('limit') ?? `${MAX_PAGE_OBJECTS}`,
      1,
      MAX_PAGE_OBJECTS,
    );
    const within = listable(ctx, name, prefix);
    if (!(await buckets.find(name))) {
      throw new KeystowError('not-found', `There is no bucket ${name}.`);
    }
    const page = await objects.page(name, {
      prefix,
      within,
      limit,
      delimiter: query.get('delimiter') || undefined,
      after: query.get('after') || undefined,
    });
    if (page.next !== undefined) linkNext(ctx, page.next, limit);
    ctx.body = {
      objects: page.items.map(toJson),
      prefixes: [...page.commonPrefixes],
      ...(page.next === undefined ? {} : { next: page.next }),
    } satisfies z.infer<typeof objectPageAnswer>;
  });

  router.post('/api/presign', authenticated, jsonBody, async (ctx) => {
    const input = parseInput(presignInput, ctx.request.body);
    const url = await presignedUrls.create(principalOf(ctx), baseUrl(ctx, publicUrl), input);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { url } satisfies z.infer<typeof presignAnswer>;
  });
}

/** What the caller's grants cover of the prefix. Throws `forbidden` where that is nothing. */
function listable(ctx: Context, bucket: string, prefix: string): string[] {
  const principal = principalOf(ctx);
  const within = `${bucket}/`;
  const readable = readablePrefixes(principal, within + prefix);
  if (readable.length > 0) return readable.map((resource) => resource.slice(within.length));
  throw new KeystowError(
    'forbidden',
    `The user ${principal.name} has no grant to read ${within}${prefix}: ask an admin for one.`,
  );
}

function toJson({ key, size, etag, lastModified, attributes }: StoredObject): ObjectAnswer {
  return {
    key,
    size,
    etag: `"${etag}"`,
    time: new Date(lastModified).toISOString(),
    contentType: attributes.headers['content-type'],
    acl: attributes.acl,
  };
}

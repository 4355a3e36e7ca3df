import { href } from '../../router.ts';

/** Where something is in this view. */
export interface Place {
  readonly bucket?: string | undefined;
  readonly prefix?: string | undefined;
  readonly key?: string | undefined;
}

export const VIEW = 'objects';

export function placeOf(query: ReadonlyMap<string, string>): Place {
  return { bucket: query.get('bucket'), prefix: query.get('prefix'), key: query.get('key') };
}

export function hrefOf({ bucket, prefix, key }: Place): string {
  return href(VIEW, { bucket, prefix: prefix || undefined, key });
}

import { KeystowError } from '../../shared/errors.ts';

/** `If-Match` and `If-None-Match`: RFC 9110, sections 8.8.3 and 13.1. */

interface EntityTag {
  readonly isWeak: boolean;
  /** With its quotes. */
  readonly tag: string;
}

type EntityTags = '*' | readonly EntityTag[];

export interface Preconditions {
  readonly ifMatch?: EntityTags;
  readonly ifNoneMatch?: EntityTags;
}

export function parsePreconditions(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): Preconditions {
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: parseEntityTags('If-Match', ifMatch) }),
    ...(ifNoneMatch === undefined
      ? {}
      : { ifNoneMatch: parseEntityTags('If-None-Match', ifNoneMatch) }),
  };
}

/** True where `If-Match` is absent or holds: strong comparison, and `*` wants any representation. */
export function isMatch({ ifMatch }: Preconditions, etag: string | undefined): boolean {
  if (ifMatch === undefined) return true;
  if (etag === undefined) return false;
  return ifMatch === '*' || ifMatch.some(({ isWeak, tag }) => !isWeak && tag === etag);
}

/** True where `If-None-Match` is absent or holds: weak comparison, and `*` wants none at all. */
export function isNoneMatch({ ifNoneMatch }: Preconditions, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined || etag === undefined) return true;
  return ifNoneMatch !== '*' && !ifNoneMatch.some(({ tag }) => tag === etag);
}

/** True for `If-None-Match: *`, with which PUT creates. */
export function wantsAbsence({ ifNoneMatch }: Preconditions): boolean {
  return ifNoneMatch === '*';
}

function parseEntityTags(name: string, header: string): EntityTags {
  if (header.trim() === '*') return '*';
  const tags: EntityTag[] = [];
  // An element is a quoted tag or nothing (RFC 9110, 5.6.1.2), and a comma or the end follows it.
  const element = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;
  while (element.lastIndex < header.length) {
    const found = element.exec(header);
    if (!found) throw malformed(name);
    const [, weak, tag] = found;
    if (tag !== undefined) tags.push({ isWeak: weak !== undefined, tag });
  }
  if (tags.length === 0) throw malformed(name);
  return tags;
}

function malformed(name: string): KeystowError {
  return new KeystowError(
    'bad-request',
    `${name} is * or a list of ETags in double quotes, such as "7".`,
  );
}

import { reservedNames } from '../../../shared/reserved-names.ts';
import type { Grant } from '../../api/user.ts';

/** What a grant covers, in words: a prefix is matched against `data/KEY` and `BUCKET/KEY`. */

/** Plain words, and what somebody has chosen, which is shown as such. */
export type Words = readonly (string | { readonly stored: string })[];

export interface Cover {
  readonly covers: Words;
  /** What its author has perhaps not meant. */
  readonly warning?: Words;
}

const DOCUMENTS = 'data/';
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const BUCKET_NAME_BEGIN = /^[a-z0-9][a-z0-9.-]{0,62}$/;

export function coverOf(prefix: string): Cover {
  if (prefix === '') return { covers: ['everything: all documents and all objects'] };
  if (prefix === DOCUMENTS) return { covers: ['every document'] };
  if (prefix.startsWith(DOCUMENTS)) return documentCover(prefix.slice(DOCUMENTS.length));
  const slash = prefix.indexOf('/');
  if (slash < 0) return bucketsCover(prefix);
  return objectCover(prefix.slice(0, slash), prefix.slice(slash + 1));
}

function documentCover(begin: string): Cover {
  const covers: Words = ['documents whose key begins with ', { stored: begin }];
  return withWarning(covers, starWarning(begin) ?? openEnd(begin, DOCUMENTS));
}

function objectCover(bucket: string, begin: string): Cover {
  if (bucket === '') {
    return nothing(['Leave out the slash at the beginning: names are matched without it.']);
  }
  if (reservedNames.has(bucket) || !BUCKET_NAME.test(bucket)) {
    return nothing([
      'No bucket can be named ',
      { stored: bucket },
      '. Documents are matched as ',
      { stored: 'data/KEY' },
      '.',
    ]);
  }
  if (begin === '') return { covers: ['everything in the bucket ', { stored: bucket }] };
  const covers: Words = [
    'objects in the bucket ',
    { stored: bucket },
    ' whose key begins with ',
    { stored: begin },
  ];
  return withWarning(covers, starWarning(begin) ?? openEnd(begin, `${bucket}/`));
}

/** Without a slash it is the beginning of names of buckets, and of `data/` itself perhaps. */
function bucketsCover(begin: string): Cover {
  const isOfDocuments = DOCUMENTS.startsWith(begin);
  if (!isOfDocuments && !BUCKET_NAME_BEGIN.test(begin)) {
    return nothing([
      'No bucket’s name begins with ',
      { stored: begin },
      '. Documents are matched as ',
      { stored: 'data/KEY' },
      '.',
    ]);
  }
  const buckets: Words = ['everything in each bucket whose name begins with ', { stored: begin }];
  const covers: Words = isOfDocuments ? ['every document, and ', ...buckets] : buckets;
  const other = begin === 'data' ? 'database' : `${begin}-old`;
  const noSlash: Words = [
    'There is no slash behind the name: a bucket ',
    { stored: other },
    ' would be covered, too.',
  ];
  if (isOfDocuments) {
    return {
      covers,
      warning: [...noSlash, ' Write ', { stored: DOCUMENTS }, ' for documents alone.'],
    };
  }
  if (!BUCKET_NAME.test(begin)) return { covers, warning: noSlash };
  return {
    covers,
    warning: [...noSlash, ' Write ', { stored: `${begin}/` }, ' for this one alone.'],
  };
}

/** A prefix that stops within a name covers what has a longer one. */
function openEnd(begin: string, before: string): Words | undefined {
  if (begin.endsWith('/')) return undefined;
  return [
    'There is no slash at the end: ',
    { stored: `${before}${begin}b` },
    ' is covered, too. Write ',
    { stored: `${before}${begin}/` },
    ' for what lies below it alone.',
  ];
}

function starWarning(begin: string): Words | undefined {
  if (!begin.endsWith('*')) return undefined;
  return ['The star is a character of the key here: a prefix needs none.'];
}

function nothing(warning: Words): Cover {
  return { covers: ['nothing'], warning };
}

function withWarning(covers: Words, warning: Words | undefined): Cover {
  return warning ? { covers, warning } : { covers };
}

/** As a table has it: `reads documents whose key begins with players/`. */
export function grantWords({ prefix, access }: Grant): Words {
  const { covers } = coverOf(prefix);
  return [access === 'write' ? 'reads and writes ' : 'reads ', ...covers];
}

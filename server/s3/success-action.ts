import { type FormFields, fieldValue } from './form-fields.ts';
import { textToBytes, uriEncode } from './uri-encoding.ts';

/** How a form wants success to be answered. */
export type SuccessAction =
  | { readonly status: 303; readonly redirect: URL }
  | { readonly status: 200 | 201 | 204 };

/**
 * A redirect wins over a status; a URL that cannot be read, or is not http(s), counts as absent, and
 * so does a status other than 200, 201 and 204.
 */
export function parseSuccessAction(fields: FormFields): SuccessAction {
  const redirect =
    parseRedirect(fieldValue(fields, 'success_action_redirect')) ??
    parseRedirect(fieldValue(fields, 'redirect'));
  if (redirect !== undefined) return { status: 303, redirect };
  switch (fieldValue(fields, 'success_action_status')) {
    case '200':
      return { status: 200 };
    case '201':
      return { status: 201 };
    default:
      return { status: 204 };
  }
}

function parseRedirect(text: string | undefined): URL | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** The redirect with bucket, key and ETag (given without quotes) appended to its own query. */
export function redirectLocation(
  redirect: URL,
  stored: { bucket: string; key: string; etag: string },
): string {
  const url = new URL(redirect);
  const added = new URLSearchParams([
    ['bucket', stored.bucket],
    ['key', stored.key],
    ['etag', `"${stored.etag}"`],
  ]);
  // Not through searchParams, which would rewrite the query that is already there.
  url.search = url.search === '' ? `${added}` : `${url.search}&${added}`;
  return url.href;
}

/** The URL of an object below that of its bucket; S3 escapes the key's slashes too. */
export function objectLocation(bucketUrl: string, key: string): string {
  return `${bucketUrl.replace(/\/$/, '')}/${uriEncode(textToBytes(key))}`;
}

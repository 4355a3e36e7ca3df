import type { FormFields } from '../s3/form-fields.ts';
import { bytesToText, queryParameters } from '../s3/uri-encoding.ts';
import type { Context } from './context.ts';

/** Headers as text, by their names in lower case, and what a signed URL says in their place. */
export type S3Headers = FormFields;

/** Of signatures, and the checksum of a body that was empty when the URL was signed: S3 ignores it. */
const NOT_HEADERS =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|checksum-.*|sdk-checksum-.*)$/;

/** `isUrlSigned`: parameters named `x-amz-…` count as headers that the signer has fixed. */
export function s3Headers(ctx: Context, isUrlSigned: boolean): S3Headers {
  const headers = new Map<string, { name: string; value: string }>();
  const add = (name: string, bytes: string): void => {
    const key = name.toLowerCase();
    const value = bytesToText(bytes) ?? bytes;
    const earlier = headers.get(key);
    headers.set(key, earlier ? { name, value: `${earlier.value},${value}` } : { name, value });
  };
  const { rawHeaders } = ctx.req;
  for (let at = 0; at < rawHeaders.length; at += 2)
    add(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  if (!isUrlSigned) return headers;
  for (const [name, value] of queryParameters(ctx.querystring)) {
    const key = name.toLowerCase();
    if (key.startsWith('x-amz-') && !NOT_HEADERS.test(key) && !headers.has(key)) add(name, value);
  }
  return headers;
}

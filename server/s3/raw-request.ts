import type { ByteText } from './uri-encoding.ts';

/** A request as it came over the wire: nothing in it is decoded. */
export interface RawRequest {
  readonly method: string;
  /** The path, still percent-encoded, such as `/bucket/a%20key`. */
  readonly rawPath: ByteText;
  /** What follows the `?`, still percent-encoded; empty for none. */
  readonly rawQuery: ByteText;
  /** In the order of arrival; repeated ones are separate. */
  readonly headers: readonly (readonly [name: string, value: ByteText])[];
  /** The bucket that the Host names; undefined when the path names it. */
  readonly hostBucket?: string | undefined;
}

/** The values of a header in their order; `name` is in lower case. */
export function headerValues(request: RawRequest, name: string): ByteText[] {
  return request.headers
    .filter(([other]) => other.toLowerCase() === name)
    .map(([, value]) => value);
}

/** The first value of a header; `name` is in lower case. */
export function firstHeader(request: RawRequest, name: string): ByteText | undefined {
  return request.headers.find(([other]) => other.toLowerCase() === name)?.[1];
}

/** The names of all headers, in lower case, each once, in alphabetical order. */
export function headerNames(request: RawRequest): string[] {
  return [...new Set(request.headers.map(([name]) => name.toLowerCase()))].sort();
}

import { KeystowClientError } from './client-error.ts';

/** Paths of the server's routes. */

/** Dot segments would be resolved away (RFC 3986, 5.2.4): then all is one segment. */
export function documentPath(key: string): string {
  if (!key.isWellFormed()) {
    throw new KeystowClientError('bad-request', 'A key has no lone surrogates: it is UTF-8.');
  }
  const segments = key.split('/').map(encodeURIComponent);
  const hasDots = segments.some((segment) => segment === '.' || segment === '..');
  return `/data/${segments.join(hasDots ? '%2F' : '/')}`;
}

/** The path with what is given of the parameters. */
export function withQuery(
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length > 0 ? `${path}?${given.join('&')}` : path;
}

/** Where a document or an object is: the path of its URL, percent-encoded. */
export function resourceUrl(root: string, key: string): string {
  const segments = key.split('/').map(encodeURIComponent);
  // Who reads the URL would resolve dot segments away (RFC 3986, 5.2.4): then all is one segment.
  const hasDots = segments.some((segment) => segment === '.' || segment === '..');
  return `/${root}/${segments.join(hasDots ? '%2F' : '/')}`;
}

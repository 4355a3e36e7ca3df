/** What a change's `url` names, and where the console shows it. */

/** The path as keys are, without percent-encoding; as it came where it cannot be read. */
export function pathOf(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** As the server compares: with or without the slash at the beginning. */
export function isBelow(url: string, prefix: string): boolean {
  return withSlash(pathOf(url)).startsWith(withSlash(prefix));
}

/** The view that shows it, and what that has in the fragment. */
export interface Place {
  readonly view: 'documents' | 'objects';
  readonly query: Readonly<Record<string, string>>;
}

/** Undefined for what is neither a document nor an object. */
export function placeOf(url: string): Place | undefined {
  const [, first = '', key = ''] = /^\/([^/]+)\/(.+)$/s.exec(pathOf(url)) ?? [];
  if (key === '') return undefined;
  if (first === 'data') return { view: 'documents', query: { key } };
  return { view: 'objects', query: { bucket: first, key } };
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

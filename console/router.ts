import { signal } from '@preact/signals';

/** Where the console is, in the fragment: `#/documents?key=a%2Fb`. It is never sent to the server. */
export interface Route {
  /** The first segment: which view. */
  readonly view: string;
  readonly query: ReadonlyMap<string, string>;
}

export const route = signal<Route>(parse(location.hash));

addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

export function href(
  view: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) search.set(name, value);
  return `#/${view}${search.size > 0 ? `?${search}` : ''}`;
}

export function go(view: string, query: Readonly<Record<string, string | undefined>> = {}): void {
  location.hash = href(view, query);
}

/** The same without a step back in the history: for what is typed. */
export function replace(
  view: string,
  query: Readonly<Record<string, string | undefined>> = {},
): void {
  history.replaceState(undefined, '', href(view, query));
  route.value = parse(location.hash);
}

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { view: path, query: new Map(new URLSearchParams(search)) };
}

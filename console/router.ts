import { signal } from '@preact/signals';

/** Where the console is, in the fragment: `#/documents?key=a%2Fb`. It is never sent to the server. */
export interface Route {
  /** The first segment: which view. */
  readonly view: string;
  readonly query: ReadonlyMap<string, string>;
}

export const route = signal<Route>(parse(location.hash));

/**
 * Asked before what is shown is left, for another place or (`undefined`) to sign out. False keeps it; `proceed` goes
 * there after all.
 */
export type Guard = (to: Route | undefined, proceed: () => void) => boolean;

let guard: Guard | undefined;
/** Places in the history are counted: a step that is not to be taken is taken back, whichever way it went. */
let place = placeOf(history.state) ?? 0;
let isGoingBack = false;
let isAllowed = false;
history.replaceState({ place }, '');

addEventListener('hashchange', () => {
  if (isGoingBack) {
    isGoingBack = false;
    return;
  }
  const to = parse(location.hash);
  const steps = (placeOf(history.state) ?? place + 1) - place;
  const proceed = (): void => {
    isAllowed = true;
    history.go(steps);
  };
  if (guard && !isAllowed && steps !== 0 && !guard(to, proceed)) {
    isGoingBack = true;
    history.go(-steps);
    return;
  }
  isAllowed = false;
  place += steps;
  history.replaceState({ place }, '');
  route.value = to;
});

/** One view at a time may keep what has not been saved; returns what ends it. */
export function guardLeaving(asked: Guard): () => void {
  guard = asked;
  return () => {
    if (guard === asked) guard = undefined;
  };
}

/** Does it, unless there is something to ask first: for what is no other place. */
export function leave(proceed: () => void): void {
  if (!guard || guard(undefined, proceed)) proceed();
}

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
  history.replaceState({ place }, '', href(view, query));
  route.value = parse(location.hash);
}

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { view: path, query: new Map(new URLSearchParams(search)) };
}

function placeOf(state: unknown): number | undefined {
  if (typeof state !== 'object' || state === null || !('place' in state)) return undefined;
  return typeof state.place === 'number' ? state.place : undefined;
}

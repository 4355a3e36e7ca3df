import { useEffect, useRef } from 'preact/hooks';
import { liveState } from './live.ts';
import { StoredText } from './parts/stored-text.tsx';
import { Toasts } from './parts/toasts.tsx';
import { href, leave, route } from './router.ts';
import { session, signOut } from './session.ts';
import { SignIn } from './views/sign-in.tsx';
import { type View, views } from './views.ts';

export function App() {
  return (
    <>
      {session.value ? <SignedIn /> : <SignIn />}
      <Toasts />
    </>
  );
}

function SignedIn() {
  const { isAdmin = false, username = '' } = session.value ?? {};
  const offered = views.filter((view) => isAdmin || !view.isForAdmins);
  const [fallback] = offered;
  const view = offered.find(({ name }) => name === route.value.view) ?? fallback;
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <header class="bar">
        <strong>Keystow</strong>
        <nav aria-label="Views">
          {offered.map(({ name, title }) => (
            <a key={name} href={href(name)} aria-current={name === view?.name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <LiveBadge />
        <span class="who">
          <StoredText text={username} />
        </span>
        <button type="button" onClick={() => leave(() => signOut())}>
          Sign out
        </button>
      </header>
      {view && <Main key={view.name} view={view} />}
    </>
  );
}

/** The heading has the focus when the view changes, so that a screen reader begins there. */
function Main({ view }: { view: View }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${view.title} · Keystow`;
    heading.current?.focus();
  }, [view]);
  const { Content } = view;
  return (
    <main id="main" tabIndex={-1}>
      <h1 ref={heading} tabIndex={-1}>
        {view.title}
      </h1>
      <Content />
    </main>
  );
}

/** No link, as the fragment is the router's. */
function skip(): void {
  document.getElementById('main')?.focus();
}

const STATES = {
  off: 'Offline',
  live: 'Live',
  paused: 'Paused',
  retrying: 'Reconnecting',
  failed: 'Not live',
} as const;

function LiveBadge() {
  const state = liveState.value;
  const reason = 'reason' in state ? state.reason : undefined;
  return (
    <span class={`badge ${state.kind}`} role="status" title={reason}>
      {STATES[state.kind]}
    </span>
  );
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { KeystowClientError } from '../../shared/client/index.ts';
import { explain } from '../parts/explain.ts';
import { farewell, signIn } from '../session.ts';

export function SignIn() {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Sign in · Keystow';
    name.current?.focus();
  }, []);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const data = new FormData(event.currentTarget);
    const [username, password] = [String(data.get('username')), String(data.get('password'))];
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn({ username, password });
    } catch (error) {
      setProblem(sentence(error));
      setBusy(false);
    }
  }

  return (
    <main class="sign-in">
      <h1>Keystow</h1>
      {farewell.value && (
        <p class="notice" role="alert">
          {farewell.value}
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          User
          <input ref={name} name="username" autocomplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {problem && (
          <p class="notice error" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
      <p class="hint">You are signed in for this tab alone, until it is closed or loaded again.</p>
    </main>
  );
}

function sentence(error: unknown): string {
  if (!(error instanceof KeystowClientError)) return explain(error);
  if (error.code === 'unauthenticated') return 'The user or the password is wrong: check both.';
  if (error.code === 'too-many-requests') {
    return `Too many failed attempts: try again in ${error.retryAfter ?? 60} s.`;
  }
  return explain(error);
}

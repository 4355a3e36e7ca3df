import { signal } from '@preact/signals';
import { codeOf } from '../shared/client/client-error.ts';
import {
  basic,
  type Credentials,
  createHttpTransport,
  failure,
} from '../shared/client/http-transport.ts';
import { createClient, type KeystowClient, KeystowClientError } from '../shared/client/index.ts';
import { createRequests, type Requests } from '../shared/client/requests.ts';
import { startLive, stopLive } from './live.ts';

/** Who is signed in, in the memory of this tab alone: nothing is kept in storage or in cookies. */
export interface Session {
  readonly username: string;
  /** An admin may do everything; a member sees what its grants cover. */
  readonly isAdmin: boolean;
  readonly client: KeystowClient;
  /** For routes that the typed client has no calls for: resolves with a success, rejects else. */
  readonly request: Requests;
  /** For answers that are read as they come. `credentials: 'omit'`, and rejects only without an answer. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(): void;
}

export const session = signal<Session | undefined>(undefined);
/** Why the last session has ended by itself. */
export const farewell = signal<string | undefined>(undefined);

const TIMEOUT_MS = 30_000;
const RETRIES = 2;
const REFUSED =
  'You were signed out: the server does not take this user and password any more. If the password was changed, sign in with the new one; if the user was deleted, ask an admin.';
const CHANGED = 'Your password was changed: sign in with the new one.';

/** While the own password changes, refusals of the old one are no news. */
let isRenewing = false;

/** Rejects with `unauthenticated`, `too-many-requests`, or what else keeps it from being found out. */
export async function signIn(credentials: Credentials): Promise<void> {
  const opened = open(credentials);
  try {
    // Everybody may list documents, even if there are none for them, so a refusal is of the credentials.
    await opened.request({ method: 'GET', path: '/data?limit=1' });
    const isAdmin = await mayListUsers(opened.fetch);
    session.value?.close();
    session.value = { ...opened, username: credentials.username, isAdmin };
    farewell.value = undefined;
    startLive(opened.client, opened.isStillTaken);
  } catch (error) {
    opened.close();
    throw error;
  }
}

export function signOut(reason?: string): void {
  stopLive();
  session.value?.close();
  session.value = undefined;
  farewell.value = reason;
}

/** Changes the own password by what is given, and goes on with the new one. Rejects where it was not changed. */
export async function renewPassword(password: string, change: () => Promise<void>): Promise<void> {
  const { username } = current();
  isRenewing = true;
  try {
    await change();
    await signIn({ username, password }).catch(() => signOut(CHANGED));
  } finally {
    isRenewing = false;
  }
}

/** Of the one who is signed in; views are shown to nobody else. */
export function current(): Session {
  if (!session.value) throw new Error('Nobody is signed in.');
  return session.value;
}

interface Opened extends Omit<Session, 'username' | 'isAdmin'> {
  /** Asks whether the server still takes the credentials. Where it does not, the session is over. */
  isStillTaken(): Promise<boolean>;
}

function open(credentials: Credentials): Opened {
  const url = location.origin;
  const authorization = basic(credentials);
  const closing = new AbortController();
  let asking: Promise<boolean> | undefined;

  /** Every request of the session goes through here. */
  const send: typeof fetch = async (...args) => {
    const response = await window.fetch(...args);
    if (response.status === 401) void isStillTaken();
    return response;
  };

  /** Once for all that are refused together: each refusal counts against the user. */
  function isStillTaken(): Promise<boolean> {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  // A 401 may also say that the user was changed while a request was under way: it would do well now.
  async function ask(): Promise<boolean> {
    const isOver = (): boolean => session.value?.client !== client;
    if (isOver()) return false;
    if (isRenewing) return true;
    const answer = await window
      .fetch(`${url}/data?limit=1`, ownRequest(authorization))
      .catch(noAnswer);
    if (isOver()) return false;
    const isRefused = answer?.status === 401 || answer?.status === 429;
    if (isRefused && !isRenewing) signOut(REFUSED);
    return !isRefused || isRenewing;
  }

  const client = createClient({ url, credentials, fetch: send });
  const http = createHttpTransport({ base: url, credentials, fetch: send, timeoutMs: TIMEOUT_MS });
  return {
    client,
    request: createRequests(http, RETRIES),
    fetch(path, init = {}) {
      const ends = init.signal ? [closing.signal, init.signal] : [closing.signal];
      const signal = AbortSignal.any(ends);
      return send(url + path, ownRequest(authorization, { ...init, signal }));
    },
    isStillTaken,
    close() {
      client.close();
      http.close();
      closing.abort();
    },
  };
}

function ownRequest(authorization: string, init: RequestInit = {}): RequestInit {
  return {
    cache: 'no-store',
    redirect: 'error',
    ...init,
    credentials: 'omit',
    headers: { ...init.headers, authorization },
  };
}

function noAnswer(): undefined {
  return undefined;
}

/** Without the list, which may be of megabytes. */
async function mayListUsers(ask: Session['fetch']): Promise<boolean> {
  const { status } = await ask('/api/users', { method: 'HEAD' }).catch((error) => {
    throw failure(error, []);
  });
  if (status === 200) return true;
  if (status === 403) return false;
  throw new KeystowClientError(codeOf(status), `The server answered ${status}.`, { status });
}

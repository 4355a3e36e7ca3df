import { signal } from '@preact/signals';
import { basic, type Credentials, createHttpTransport } from '../shared/client/http-transport.ts';
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

/** Rejects with `unauthenticated`, `too-many-requests`, or what else keeps it from being found out. */
export async function signIn(credentials: Credentials): Promise<void> {
  const opened = open(credentials);
  try {
    // Everybody may see one's own access keys, so a refusal is of the credentials.
    await opened.request({ method: 'GET', path: '/api/access-keys' });
    const isAdmin = await mayListUsers(opened.request);
    session.value = { ...opened, username: credentials.username, isAdmin };
    farewell.value = undefined;
    startLive(opened.client);
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

/** Of the one who is signed in; views are shown to nobody else. */
export function current(): Session {
  if (!session.value) throw new Error('Nobody is signed in.');
  return session.value;
}

function open(credentials: Credentials): Omit<Session, 'username' | 'isAdmin'> {
  const url = location.origin;
  const client = createClient({ url, credentials });
  const options = {
    base: url,
    credentials,
    fetch: window.fetch.bind(window),
    timeoutMs: TIMEOUT_MS,
  };
  const http = createHttpTransport(options);
  return {
    client,
    request: createRequests(http, RETRIES),
    fetch: (path, init = {}) =>
      window.fetch(url + path, {
        cache: 'no-store',
        redirect: 'error',
        ...init,
        credentials: 'omit',
        headers: { ...init.headers, authorization: basic(credentials) },
      }),
    close() {
      client.close();
      http.close();
    },
  };
}

async function mayListUsers(request: Requests): Promise<boolean> {
  try {
    await request({ method: 'GET', path: '/api/users' });
    return true;
  } catch (error) {
    if (error instanceof KeystowClientError && error.code === 'forbidden') return false;
    throw error;
  }
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort } from '../../parts/explain.ts';

export interface Read<Value> {
  /** Undefined until it was read. */
  readonly value: Value | undefined;
  readonly error: unknown;
  /** Resolves once what is shown was read after the call. */
  readonly reload: () => Promise<void>;
}

interface Outcome<Value> {
  readonly what: string;
  readonly value?: Value;
  readonly error?: unknown;
}

/**
 * Something that is read when it is first shown, and again with another `what`. A reload shows the old until it has the
 * new; however often it is called for while one runs, one more follows.
 */
export function useRead<Value>(
  what: string,
  read: (signal: AbortSignal) => Promise<Value>,
): Read<Value> {
  const [outcome, setOutcome] = useState<Outcome<Value>>({ what });
  const reload = useRef(async (): Promise<void> => {});

  // `read` is a new function at each rendering: `what` tells whether it is another.
  useEffect(() => {
    const ended = new AbortController();
    let isAsked = false;
    let running: Promise<void> | undefined;
    const readAll = async (): Promise<void> => {
      while (isAsked && !ended.signal.aborted) {
        isAsked = false;
        const next = await attempt(what, read, ended.signal);
        if (next && !ended.signal.aborted) setOutcome(next);
      }
      running = undefined;
    };
    reload.current = () => {
      isAsked = true;
      running ??= readAll();
      return running;
    };
    void reload.current();
    return () => ended.abort();
  }, [what]);

  const { value, error } = outcome.what === what ? outcome : {};
  return { value, error, reload: () => reload.current() };
}

async function attempt<Value>(
  what: string,
  read: (signal: AbortSignal) => Promise<Value>,
  signal: AbortSignal,
): Promise<Outcome<Value> | undefined> {
  try {
    return { what, value: await read(signal) };
  } catch (error) {
    return isAbort(error) ? undefined : { what, error };
  }
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort } from './explain.ts';

export interface Read<Value> {
  /** Undefined until it was read; what was read last where another reading fails. */
  readonly value: Value | undefined;
  readonly error: unknown;
  readonly isReading: boolean;
  /** Resolves once what is shown was read after the call. */
  readonly reload: () => Promise<void>;
}

interface Outcome<Value> {
  readonly what: string;
  readonly value?: Value | undefined;
  readonly error?: unknown;
  readonly isReading: boolean;
}

/**
 * Something that is read when it is first shown, and again with another `what`. A reload shows the old until it has the
 * new; however often it is called for while one runs, one more follows.
 */
export function useRead<Value>(
  what: string,
  read: (signal: AbortSignal) => Promise<Value>,
): Read<Value> {
  const [outcome, setOutcome] = useState<Outcome<Value>>({ what, isReading: true });
  const reload = useRef(async (): Promise<void> => {});

  // `read` is a new function at each rendering: `what` tells whether it is another.
  useEffect(() => {
    const ended = new AbortController();
    let isAsked = false;
    let running: Promise<void> | undefined;
    const show = (change: Partial<Outcome<Value>>): void => {
      if (ended.signal.aborted) return;
      setOutcome((before) => ({
        ...(before.what === what ? before : { what, isReading: true }),
        ...change,
      }));
    };
    const readAll = async (): Promise<void> => {
      show({ isReading: true });
      while (isAsked && !ended.signal.aborted) {
        isAsked = false;
        try {
          show({ value: await read(ended.signal), error: undefined });
        } catch (error) {
          if (!isAbort(error)) show({ error });
        }
      }
      running = undefined;
      show({ isReading: false });
    };
    reload.current = () => {
      isAsked = true;
      running ??= readAll();
      return running;
    };
    void reload.current();
    return () => ended.abort();
  }, [what]);

  const { value, error, isReading } = outcome.what === what ? outcome : { isReading: true };
  return { value, error, isReading, reload: () => reload.current() };
}

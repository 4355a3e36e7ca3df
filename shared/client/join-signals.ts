export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** Lets go of the signals that it was joined from. */
  release(): void;
}

/**
 * A signal that is aborted with the first of these, until it is released. AbortSignal.any would leave
 * something behind at a long-lived signal with each request: https://github.com/nodejs/node/issues/55351
 */
export function joinSignals(signals: readonly AbortSignal[]): JoinedSignal {
  const joined = new AbortController();
  const onAbort = (event: Event): void => {
    const source = event.target;
    joined.abort(source instanceof AbortSignal ? source.reason : undefined);
  };
  for (const signal of signals) {
    if (signal.aborted) joined.abort(signal.reason);
    else signal.addEventListener('abort', onAbort, { once: true });
  }
  return {
    signal: joined.signal,
    release() {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Counts what has begun and not ended yet. */
export interface UnderWay {
  begin(): void;
  end(): void;
  /** Resolves once there is nothing. */
  idle(): Promise<void>;
}

export function createUnderWay(): UnderWay {
  let count = 0;
  let onIdle = (): void => {};
  return {
    begin() {
      count += 1;
    },
    end() {
      count -= 1;
      if (count === 0) onIdle();
    },
    idle() {
      if (count === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = resolve;
      });
    },
  };
}

/** Time that passes, but for pauses. */
export function createStopwatch(now: () => number = () => performance.now()) {
  let before = 0;
  let startedAt: number | undefined = now();
  const elapsed = (): number => before + (startedAt === undefined ? 0 : now() - startedAt);
  return {
    elapsed,
    run(isRunning: boolean): void {
      before = elapsed();
      startedAt = isRunning ? now() : undefined;
    },
  };
}

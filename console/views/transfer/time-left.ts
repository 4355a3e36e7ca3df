/** Too early to tell. */
const SHORTEST_MS = 1_500;

/** In seconds, if it goes on as fast as so far; undefined where that cannot be said yet. */
export function secondsLeft(done: number, total: number, elapsedMs: number): number | undefined {
  if (done <= 0 || elapsedMs < SHORTEST_MS) return undefined;
  return ((total - done) * elapsedMs) / done / 1_000;
}

/** Such as `about 3 min left`: as exact as it is. */
export function formatLeft(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} min left`;
  return `about ${(minutes / 60).toFixed(1)} h left`;
}

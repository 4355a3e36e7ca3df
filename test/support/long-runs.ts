/** `KEYSTOW_LONG=1`, as in .ci/run: the tests that may search long do, and slow tools are run. */
export const isLongRun = process.env['KEYSTOW_LONG'] === '1';

export function runs(short: number, long: number): number {
  return isLongRun ? long : short;
}

/** All cases in a long run, else the first few: each costs a process. */
export function some<T>(cases: readonly T[], count: number): readonly T[] {
  return isLongRun ? cases : cases.slice(0, count);
}

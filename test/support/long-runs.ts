/** `KEYSTOW_LONG=1`, as in .ci/run: the tests that may search long do, and slow tools are run. */
export const isLongRun = process.env['KEYSTOW_LONG'] === '1';

export function runs(short: number, long: number): number {
  return isLongRun ? long : short;
}

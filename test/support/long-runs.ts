/** `KEYSTOW_LONG=1`, as in .ci/run: the tests that may search long do. */
export function runs(short: number, long: number): number {
  return process.env['KEYSTOW_LONG'] === '1' ? long : short;
}

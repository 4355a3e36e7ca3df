/** The rows from `first` to before `last` are in sight, or near: quick scrolling shows no gap then. */
export function rowsInSight(
  { top, height }: { readonly top: number; readonly height: number },
  count: number,
  { rowPx, margin }: { readonly rowPx: number; readonly margin: number },
): { first: number; last: number } {
  const first = Math.max(0, Math.min(count, Math.floor(top / rowPx)) - margin);
  const last = Math.min(count, Math.ceil((top + height) / rowPx) + margin);
  return { first, last };
}

/** Has the browser ask, in words of its own, before the page is closed or loaded again; returns what ends it. */
export function askToStay(): () => void {
  addEventListener('beforeunload', prevent);
  return () => removeEventListener('beforeunload', prevent);
}

function prevent(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

export function DocumentsView() {
  return <p>…</p>;
}

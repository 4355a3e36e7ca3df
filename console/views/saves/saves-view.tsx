export function SavesView() {
  return <p>…</p>;
}

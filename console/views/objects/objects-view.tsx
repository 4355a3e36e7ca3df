export function ObjectsView() {
  return <p>…</p>;
}

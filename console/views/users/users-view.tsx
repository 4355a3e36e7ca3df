export function UsersView() {
  return <p>…</p>;
}

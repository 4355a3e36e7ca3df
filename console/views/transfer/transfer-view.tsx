export function TransferView() {
  return <p>…</p>;
}

/** The browser has taken a file over long before. */
const TAKEN_MS = 60_000;

/** Has the browser save what is at the URL, which is of this origin. */
export function saveUrl(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  saveUrl(url, name);
  setTimeout(() => URL.revokeObjectURL(url), TAKEN_MS);
}

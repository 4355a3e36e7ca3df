import type { SignedForm } from './signed-form.ts';

/** The form as a page with which a browser uploads a file. */
export function htmlPage({ url, fields }: SignedForm): string {
  const hidden = Object.entries(fields).map(
    ([name, value]) =>
      `  <input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">\n`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Upload</title>
<form action="${escapeHtml(url)}" method="post" enctype="multipart/form-data">
${hidden.join('')}  <label>File: <input type="file" name="file" required></label>
  <button>Upload</button>
</form>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\p{Cc}]/gu, (character) => `&#${character.charCodeAt(0)};`);
}

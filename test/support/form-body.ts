/** Bodies of multipart/form-data exactly as asked, well-formed or not. */

export interface FormPart {
  /** Whole lines, without their line ends; strings go as UTF-8. */
  readonly headers: readonly (string | Buffer)[];
  readonly content: string | Buffer;
}

export interface FormBody {
  readonly boundary: string;
  readonly parts: readonly FormPart[];
  /** CRLF unless told. */
  readonly lineEnd?: string;
  /** Goes before the first delimiter, followed by a line end. */
  readonly preamble?: string | Buffer;
  /** Follows the closing delimiter and its line end. */
  readonly epilogue?: string | Buffer;
  /** Whether the closing delimiter has a line end; it has one unless told. */
  readonly finalLineEnd?: boolean;
  /** Goes between every delimiter and its line end. */
  readonly padding?: string;
}

export function buildFormBody(form: FormBody): Buffer {
  const { boundary, parts, lineEnd = '\r\n', padding = '' } = form;
  const pieces: (string | Buffer)[] = [];
  if (form.preamble !== undefined) pieces.push(form.preamble, lineEnd);
  for (const { headers, content } of parts) {
    pieces.push(`--${boundary}${padding}${lineEnd}`);
    for (const line of headers) pieces.push(line, lineEnd);
    pieces.push(lineEnd, content, lineEnd);
  }
  pieces.push(`--${boundary}--${padding}`);
  if (form.finalLineEnd !== false) pieces.push(lineEnd);
  if (form.epilogue !== undefined) pieces.push(form.epilogue);
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
  );
}

/** A part as browsers send it; quotes in the names become %22. */
export function formPart(
  name: string,
  content: string | Buffer,
  { filename, contentType }: { filename?: string; contentType?: string } = {},
): FormPart {
  const file = filename === undefined ? '' : `; filename="${escapeQuotes(filename)}"`;
  const disposition = `Content-Disposition: form-data; name="${escapeQuotes(name)}"${file}`;
  return {
    headers:
      contentType === undefined ? [disposition] : [disposition, `Content-Type: ${contentType}`],
    content,
  };
}

export function formContentType(boundary: string, { quoted = false } = {}): string {
  return `multipart/form-data; boundary=${quoted ? `"${boundary}"` : boundary}`;
}

function escapeQuotes(text: string): string {
  return text.replaceAll('"', '%22');
}

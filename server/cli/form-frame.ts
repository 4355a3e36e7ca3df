import { randomUUID } from 'node:crypto';

/** What stands around the file in a body of multipart/form-data. */
export interface FormFrame {
  contentType: string;
  head: Buffer;
  tail: Buffer;
}

export function formFrame(
  fields: Readonly<Record<string, string>>,
  filename: string | undefined,
): FormFrame {
  // Nobody can guess it, so no file has it in it.
  const boundary = `keystow-${randomUUID()}`;
  const parts = Object.entries(fields).map(
    ([name, value]) => `${delimiter(boundary, name)}\r\n\r\n${value}\r\n`,
  );
  const file = filename === undefined ? '' : `; filename="${escapeName(filename)}"`;
  const fileHead = `${delimiter(boundary, 'file')}${file}\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    head: Buffer.from(parts.join('') + fileHead),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}

function delimiter(boundary: string, name: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
}

/** As browsers do. */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

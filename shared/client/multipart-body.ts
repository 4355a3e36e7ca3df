/** Read and sent in one piece. */
const CHUNK_BYTES = 262_144;

export interface MultipartBody {
  readonly contentType: string;
  /** In bytes. */
  readonly length: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** A form as multipart/form-data (RFC 7578), its file last; the file is read as the stream is. */
export function multipartBody(
  fields: Readonly<Record<string, string>>,
  file: Blob,
  fileName: string,
): MultipartBody {
  const boundary = `keystow-${crypto.randomUUID()}`;
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"\r\n\r\n${value}\r\n`,
  );
  const type = file.type === '' ? 'application/octet-stream' : file.type;
  const encoder = new TextEncoder();
  const head = encoder.encode(
    `${parts.join('')}--${boundary}\r\nContent-Disposition: form-data; name="file"; ` +
      `filename="${escapeName(fileName)}"\r\nContent-Type: ${type}\r\n\r\n`,
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: head.byteLength + file.size + tail.byteLength,
    stream: chunked(new Blob([head, file, tail])),
  };
}

/** The stream of a blob in memory would be one piece: nothing to tell progress by. */
function chunked(blob: Blob): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const chunk = await blob.slice(at, at + CHUNK_BYTES).arrayBuffer();
      at += CHUNK_BYTES;
      controller.enqueue(new Uint8Array(chunk));
      if (at >= blob.size) controller.close();
    },
  });
}

/** As browsers do: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

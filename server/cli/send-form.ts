import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { IDLE_TIMEOUT_MS } from '../../shared/limits.ts';
import { readFormAnswer, type StoredUpload } from './form-answer.ts';
import { formFrame } from './form-frame.ts';
import { brokenUpload, silence } from './network-error.ts';
import type { SignedForm } from './signed-form.ts';
import type { Trust } from './trust.ts';
import type { UploadSource } from './upload-source.ts';

export interface SentForm extends StoredUpload {
  /** Of the bytes that were sent, in hex. */
  md5: string;
  bytes: number;
}

/**
 * Sends a form with its file, in constant memory. The form alone gives the right to it: no other
 * credentials are sent. Throws with exit code 3 where no answer comes, with 1 where it is no.
 */
export async function sendForm(
  form: SignedForm,
  source: UploadSource,
  trust: Trust,
  onProgress: (bytes: number) => void,
): Promise<SentForm> {
  const url = new URL(form.url);
  const { contentType, head, tail } = formFrame(form.fields, source.filename);
  const chunks = source.chunks();
  // Servers do not wait long for a body, but a pipe may take its time until it has anything.
  let next: IteratorResult<Buffer> | undefined = await chunks.next();
  const size = next.done ? 0 : source.size;
  const { outgoing, close } = open(url, trust, {
    'content-type': contentType,
    ...(size === undefined ? {} : { 'content-length': head.length + size + tail.length }),
  });
  const answered = answerOf(outgoing, url);
  let isOver = false;
  let wake = (): void => {};
  const end = (): void => {
    isOver = true;
    wake();
  };
  answered.then(end, end);

  /** Waits for the work, or until it is in vain. (Promise.race would keep what each work gave.) */
  function unlessOver<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      wake = () => resolve(undefined);
      work.then(resolve, reject);
      if (isOver) wake();
    });
  }

  async function write(bytes: Buffer): Promise<void> {
    if (!outgoing.write(bytes)) {
      await unlessOver(new Promise<void>((resolve) => outgoing.once('drain', resolve)));
    }
  }

  const md5 = createHash('md5');
  let bytes = 0;
  try {
    await write(head);
    // An answer that comes early is a refusal: the rest of the file would be in vain.
    while (next?.done === false && !isOver) {
      md5.update(next.value);
      await write(next.value);
      bytes += next.value.length;
      onProgress(bytes);
      next = await unlessOver(chunks.next());
    }
    if (!isOver) outgoing.end(tail);
    return { ...(await readFormAnswer(url, await answered)), md5: md5.digest('hex'), bytes };
  } finally {
    close();
    // Not waited for: a pipe that nobody writes to keeps it for ever.
    chunks.return().catch(() => {});
  }
}

/** A request on a connection of its own. */
function open(
  url: URL,
  { ca, insecure }: Trust,
  headers: http.OutgoingHttpHeaders,
): { outgoing: http.ClientRequest; close(): void } {
  const isTls = url.protocol === 'https:';
  // Kept alive: with `Connection: close` a server may close before its early refusal has been read.
  const agent = isTls
    ? new https.Agent({
        keepAlive: true,
        rejectUnauthorized: !insecure,
        ...(ca === undefined ? {} : { ca }),
      })
    : new http.Agent({ keepAlive: true });
  const outgoing = (isTls ? https.request : http.request)(url, {
    method: 'POST',
    agent,
    timeout: IDLE_TIMEOUT_MS,
    headers: { 'user-agent': 'keystow-cli', ...headers },
  });
  return {
    outgoing,
    close() {
      outgoing.destroy();
      agent.destroy();
    },
  };
}

function answerOf(outgoing: http.ClientRequest, url: URL): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('timeout', () => outgoing.destroy(silence(url)));
    outgoing.on('error', (error) => reject(brokenUpload(url, error)));
  });
}

import cliProgress from 'cli-progress';

export interface Progress {
  /** `documents` is undefined where it is only bytes that count. */
  update(documents: number | undefined, bytes: number): void;
  /** Writes a line to standard error, without tearing the bar. */
  say(message: string): void;
  stop(): void;
}

/** Shows how far a transfer is, on standard error if that is a terminal and else nowhere. */
export function createProgress(verb: string, totalBytes?: number): Progress {
  const started = performance.now();
  let documents: number | undefined;
  let bytes = 0;
  const text = (): string => {
    const seconds = Math.max(1, (performance.now() - started) / 1_000);
    const done = totalBytes === undefined ? verb : `${verb} ${share(bytes, totalBytes)}`;
    return documents === undefined
      ? `${done} | ${megabytes(bytes)} | ${megabytes(bytes / seconds)}/s`
      : `${done} | ${documents} documents | ${megabytes(bytes)} | ${Math.round(documents / seconds)}/s`;
  };
  // Line wrapping is left alone: the bar would switch it off, and Ctrl-C would leave it so.
  const bar = new cliProgress.SingleBar({ format: text, linewrap: true, clearOnComplete: true });
  bar.start(1, 0);
  return {
    update(documentsNow, bytesNow) {
      documents = documentsNow;
      bytes = bytesNow;
    },
    say(message) {
      bar.stop();
      process.stderr.write(`${message}\n`);
      bar.start(1, 0);
    },
    stop() {
      bar.stop();
    },
  };
}

function share(part: number, whole: number): string {
  const percent = whole === 0 ? 100 : Math.floor((100 * part) / whole);
  const filled = Math.round(percent / 5);
  return `[${'='.repeat(filled)}${'-'.repeat(20 - filled)}] ${percent}%`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

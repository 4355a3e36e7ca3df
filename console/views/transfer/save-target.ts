import { saveBlob } from '../../parts/save-file.ts';

/** Where an export goes. It is a whole file after `finish`, and none after `discard`. */
export interface SaveTarget {
  readonly name: string;
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

interface PickedFile extends FileSystemFileHandle {
  /** Chromium's. https://wicg.github.io/file-system-access/ */
  remove?(): Promise<void>;
}

type SavePicker = (options: {
  suggestedName: string;
  types: readonly { description: string; accept: Record<string, readonly string[]> }[];
}) => Promise<PickedFile>;

declare global {
  interface Window {
    showSaveFilePicker?: SavePicker;
  }
}

const TYPE = 'application/x-ndjson';
const PART_BYTES = 4 * 1_048_576;

/** Asks where to, if the browser can; rejects with an AbortError where that is given up. */
export function openSaveTarget(suggestedName: string): Promise<SaveTarget> {
  return window.showSaveFilePicker
    ? pickedFile(window.showSaveFilePicker, suggestedName)
    : Promise.resolve(download(suggestedName));
}

/** Straight to the disk: the browser writes beside the file and puts it in its place when it is closed. */
async function pickedFile(pick: SavePicker, suggestedName: string): Promise<SaveTarget> {
  const types = [{ description: 'Lines of JSON', accept: { [TYPE]: ['.ndjson'] } }];
  const file = await pick({ suggestedName, types });
  const stream = await file.createWritable();
  return {
    name: file.name,
    write: (chunk) => stream.write(chunk),
    finish: () => stream.close(),
    async discard() {
      await stream.abort().catch(() => undefined);
      // The picker has made it, or has emptied it.
      const { size } = await file.getFile();
      if (size === 0) await file.remove?.();
    },
  };
}

/** Large blobs lie on the browser's disk, chunks in the memory of the page: so they become blobs early. */
function download(name: string): SaveTarget {
  const blobs: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const gather = (): void => {
    blobs.push(new Blob(chunks));
    chunks = [];
    bytes = 0;
  };
  return {
    name,
    async write(chunk) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= PART_BYTES) gather();
    },
    async finish() {
      gather();
      saveBlob(new Blob(blobs, { type: TYPE }), name);
    },
    async discard() {
      blobs.length = 0;
      chunks = [];
    },
  };
}

/** Files that are chosen by mistake, known by how they begin. */

/** How much of the file it takes to tell: a tar archive names itself at 257. */
export const KIND_BYTES = 4_096;

interface Kind {
  readonly magic: readonly number[];
  readonly at?: number;
  readonly sentence: string;
}

const RESTORE = 'A backup is not imported: the command “keystow restore” makes a store of it.';

const KINDS: readonly Kind[] = [
  { magic: [0x1f, 0x8b], sentence: 'The file is compressed by gzip: unpack it and choose that.' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], sentence: 'The file is compressed by zstd: unpack it first.' },
  { magic: [0x50, 0x4b, 0x03, 0x04], sentence: 'The file is a ZIP archive: unpack it first.' },
  { magic: [...'ustar'].map(codeOf), at: 257, sentence: `The file is a tar archive. ${RESTORE}` },
  { magic: [0xff, 0xfe], sentence: 'The file is text in UTF-16: save it as UTF-8 first.' },
  { magic: [0xfe, 0xff], sentence: 'The file is text in UTF-16: save it as UTF-8 first.' },
];
/** A line of the entries of a backup has its text in the place of a value. */
const BACKUP_ENTRY = /^\{"key":"(?:[^"\\]|\\.)*","version":\d+,"(?:text|base64)":/;

/** Why a file that begins so cannot be imported; undefined where its lines are worth reading. */
export function whyNoLines(start: Uint8Array): string | undefined {
  if (start.length === 0) return 'The file is empty: there is nothing to import.';
  const kind = KINDS.find(({ magic, at = 0 }) =>
    magic.every((byte, index) => start[at + index] === byte),
  );
  if (kind) return kind.sentence;
  if (start.includes(0)) {
    return 'The file is binary: choose one with lines of JSON, such as an export.';
  }
  if (BACKUP_ENTRY.test(new TextDecoder().decode(start))) {
    return `The file is a part of a backup. ${RESTORE}`;
  }
  return undefined;
}

function codeOf(character: string): number {
  return character.charCodeAt(0);
}

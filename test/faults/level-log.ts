/**
 * The records of a LevelDB log file without the headers between them: blocks of 32 KiB, in each of
 * them pieces with a header of checksum (4 bytes), length (2) and type (1). A record that does not
 * fit goes on in the next block, so a text need not lie in one piece in the file.
 */
export interface LogPayload {
  readonly data: string;
  /** Where a byte of `data` lies in the file. */
  offsetAt(index: number): number;
}

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;

export function readLogPayload(file: string): LogPayload {
  const pieces: { end: number; shift: number }[] = [];
  let data = '';
  let at = 0;
  while (at + HEADER_BYTES <= file.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const length = file.charCodeAt(at + 4) + 256 * file.charCodeAt(at + 5);
    const begin = at + HEADER_BYTES;
    pieces.push({ end: data.length + length, shift: begin - data.length });
    data += file.slice(begin, begin + length);
    at = begin + length;
  }
  return {
    data,
    offsetAt(index) {
      const piece = pieces.find(({ end }) => index < end);
      if (!piece) throw new RangeError(`The log has only ${data.length} bytes of records.`);
      return index + piece.shift;
    },
  };
}

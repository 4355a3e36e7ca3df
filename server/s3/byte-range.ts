import { S3Error } from './s3-error.ts';

/** Both ends are included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of an object of `size` bytes that a `Range` header asks for; undefined for the whole:
 * as S3 does, another unit, several ranges and what is malformed count as no range (RFC 9110,
 * section 14.2). Throws S3Error InvalidRange where no byte of the object is in it.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? [];
  if (header === undefined || first === undefined || last === undefined) return undefined;
  if (first === '' && last === '') return undefined;
  // The last bytes of nothing are all of it, which no range can say.
  if (first === '' && Number(last) > 0 && size === 0) return undefined;
  if (first !== '' && last !== '' && Number(first) > Number(last)) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start <= end) return { start, end };
  throw new S3Error('InvalidRange', {
    extra: [
      ['RangeRequested', header],
      ['ActualObjectSize', String(size)],
    ],
    headers: { 'Content-Range': `bytes */${size}` },
  });
}

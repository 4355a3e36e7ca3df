import { KeystowError } from '../../shared/errors.ts';

const MAX_SHOWN_CHARS = 100;

/**
 * The reference tokens of a JSON Pointer (RFC 6901), unescaped; none for the whole document.
 * Throws KeystowError 'bad-request' for a missing leading slash or an escape other than ~0 and ~1.
 */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) {
    throw new KeystowError(
      'bad-request',
      `the JSON Pointer ${JSON.stringify(excerpt(pointer))} must be empty or begin with "/".`,
    );
  }
  if (/~(?![01])/.test(pointer)) {
    throw new KeystowError(
      'bad-request',
      `the JSON Pointer ${JSON.stringify(excerpt(pointer))} must write "~" as "~0" and "/" as "~1".`,
    );
  }
  // ~1 before ~0, so that ~01 becomes ~1 and not a slash (RFC 6901 section 4).
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A text of the client as error messages show it: at most 100 characters. */
export function excerpt(pointer: string): string {
  return pointer.length > MAX_SHOWN_CHARS ? `${pointer.slice(0, MAX_SHOWN_CHARS)}…` : pointer;
}

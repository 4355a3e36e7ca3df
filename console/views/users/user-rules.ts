import {
  MAX_GRANT_PREFIX_BYTES,
  MAX_PASSWORD_BYTES,
  MAX_USER_NAME_CHARS,
} from '../../../shared/limits.ts';
import { utf8Bytes } from '../../parts/utf8-bytes.ts';

/** What the server takes, said before anything is sent. Each gives the sentence for its field, or undefined. */

export function nameProblem(name: string): string | undefined {
  const chars = [...name].length;
  if (chars === 0) return 'Give a name.';
  if (chars > MAX_USER_NAME_CHARS) {
    return `A name has at most ${MAX_USER_NAME_CHARS} characters: this one has ${chars}.`;
  }
  if (name.includes(':')) return 'A name has no colon: it ends the name in HTTP Basic credentials.';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the server's own definition of a name.
  if (/[\x00-\x1f]/.test(name)) return 'A name has no control characters.';
  if (!name.isWellFormed()) return 'This name has half a character: type it anew.';
  if (name === '.' || name === '..')
    return 'Browsers cannot name this user in a URL: choose another.';
  return undefined;
}

export function passwordProblem(password: string): string | undefined {
  const length = utf8Bytes(password);
  if (length === 0) return 'Give a password, or let one be generated.';
  if (length > MAX_PASSWORD_BYTES) {
    return `A password has at most ${MAX_PASSWORD_BYTES} bytes of UTF-8: this one has ${length}.`;
  }
  if (password.includes('\0') || !password.isWellFormed()) {
    return 'This password has a character that cannot be sent: choose another.';
  }
  return undefined;
}

export function prefixProblem(prefix: string): string | undefined {
  const length = utf8Bytes(prefix);
  if (length > MAX_GRANT_PREFIX_BYTES) {
    return `A prefix has at most ${MAX_GRANT_PREFIX_BYTES} bytes of UTF-8: this one has ${length}.`;
  }
  if (prefix.includes('\0') || !prefix.isWellFormed()) {
    return 'This prefix has a character that no key has.';
  }
  return undefined;
}

export function accessKeyIdProblem(id: string): string | undefined {
  if (id === '' || /^[\w.-]{3,128}$/.test(id)) return undefined;
  return 'An id has 3 to 128 letters, digits, dots, hyphens and underscores.';
}

export function secretProblem(secret: string): string | undefined {
  if (secret === '' || /^[\x21-\x7e]{8,128}$/.test(secret)) return undefined;
  return 'A secret has 8 to 128 characters of ASCII without spaces.';
}

/** Without those that look like another: l, I and 1, O and 0. */
const ALPHABET = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const LENGTH = 24;
/** Bytes from here on would make the first characters likelier than the others. */
const FAIR = 256 - (256 % ALPHABET.length);

/** About 140 bits: nobody guesses it, however the server's hashes came into their hands. */
export function strongPassword(): string {
  let password = '';
  while (password.length < LENGTH) {
    const [byte = FAIR] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < FAIR) password += ALPHABET.charAt(byte % ALPHABET.length);
  }
  return password;
}

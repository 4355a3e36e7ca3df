import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Encrypts what has to be read again: the secrets of access keys, which sign. */
export interface SecretBox {
  /** `context` is bound to the result: it opens only with the same one. */
  seal(text: string, context: string): string;
  /** Throws where the master key or the context is another, or the text was changed. */
  open(sealed: string, context: string): string;
}

/** AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, 8.2.2); the key has 32 bytes. */
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSecretBox(masterKey: Buffer): SecretBox {
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, masterKey, nonce);
      cipher.setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
    },

    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64');
      // Node reads what is almost base64, too: one text has one spelling.
      if (bytes.toString('base64') !== sealed) throw new Error('The sealed text is not base64.');
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv(ALGORITHM, masterKey, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(context)).setAuthTag(tag);
      const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString();
    },
  };
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecretBox } from '../../server/services/secret-box.ts';
import type { KeyPair } from '../support/sign-form.ts';
import type { Form } from './forms.ts';

/** Session credentials with their secret, which no client ever sees: what a thief of it could do. */
export interface SessionKey extends KeyPair {
  readonly securityToken: string;
}

export async function openSessionKey(dataDir: string, { fields }: Form): Promise<SessionKey> {
  const masterKey = await readFile(join(dataDir, 'master.key'), 'utf8');
  const securityToken = fields['X-Amz-Security-Token'] ?? '';
  const box = createSecretBox(Buffer.from(masterKey, 'base64'));
  const { accessKeyId, secretAccessKey } = JSON.parse(box.open(securityToken, 'session'));
  return { accessKeyId, secretAccessKey, securityToken };
}

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, reasonOf } from './config.ts';
import { writeDurably } from './durable-files.ts';
import { createSecretBox, type SecretBox } from './services/secret-box.ts';
import { CommitConflict, type KvStore } from './stores/kv-store.ts';

/** A text sealed with the master key that the store was first used with. */
const WITNESS_KEY = 'meta/master-key';
const WITNESS = 'keystow';
const KEY_BYTES = 32;

/**
 * What the secrets in the store are sealed with. The first start makes the key, unless `MASTER_KEY`
 * gives one. Throws ConfigError for a key that is not the store's, or is lost.
 */
export async function openSecretBox(
  config: Pick<Config, 'masterKey' | 'dataDir'>,
  store: KvStore,
): Promise<SecretBox> {
  const path = join(config.dataDir, 'master.key');
  const source = config.masterKey === undefined ? path : 'MASTER_KEY';
  const witness = await store.get(WITNESS_KEY);
  if (config.masterKey === undefined && !existsSync(path)) {
    if (witness) {
      throw new ConfigError(
        `${path} is missing, and the secrets in the store were encrypted with it: restore the file, or give the key in MASTER_KEY.`,
      );
    }
    // On disk before anything is encrypted with it.
    await writeDurably(path, `${randomBytes(KEY_BYTES).toString('base64')}\n`, 0o600);
  }
  const box = createSecretBox(parseMasterKey(config.masterKey ?? readKeyFile(path), source));
  if (witness) checkWitness(box, witness.value.toString(), source);
  else await writeWitness(box, store, source);
  return box;
}

async function writeWitness(box: SecretBox, store: KvStore, source: string): Promise<void> {
  const value = Buffer.from(box.seal(WITNESS, WITNESS_KEY));
  try {
    const absent = { key: WITNESS_KEY, version: null };
    await store.commit([absent], [{ type: 'put', key: WITNESS_KEY, value }]);
  } catch (error) {
    if (!(error instanceof CommitConflict)) throw error;
    // Another node was first: its key counts.
    const witness = await store.get(WITNESS_KEY);
    checkWitness(box, witness?.value.toString() ?? '', source);
  }
}

function checkWitness(box: SecretBox, witness: string, source: string): void {
  try {
    box.open(witness, WITNESS_KEY);
  } catch {
    throw new ConfigError(
      `${source} is not the key that the secrets in the store were encrypted with: give that one.`,
    );
  }
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`The master key cannot be read: ${reasonOf(error)}.`);
  }
}

function parseMasterKey(text: string, source: string): Buffer {
  const key = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new ConfigError(
    `${source} holds ${KEY_BYTES} bytes as hex or base64, as "openssl rand -base64 ${KEY_BYTES}" prints them.`,
  );
}

export interface AccessKey {
  accessKeyId: string;
  user: string;
  createdAt: string;
}

export interface KeyPair {
  accessKeyId: string;
  secretAccessKey: string;
  user: string;
}

/** Whether it is what `GET /api/access-keys` answers. */
export function isAccessKeyList(value: unknown): value is AccessKey[] {
  return Array.isArray(value) && value.every(isAccessKey);
}

/** Whether it is what `POST /api/access-keys` answers. */
export function isKeyPair(value: unknown): value is KeyPair {
  const { accessKeyId, secretAccessKey, user }: { [Member in keyof KeyPair]?: unknown } =
    Object(value);
  return [accessKeyId, secretAccessKey, user].every((member) => typeof member === 'string');
}

function isAccessKey(value: unknown): value is AccessKey {
  const { accessKeyId, user, createdAt }: { [Member in keyof AccessKey]?: unknown } = Object(value);
  return [accessKeyId, user, createdAt].every((member) => typeof member === 'string');
}

export interface Bucket {
  name: string;
  acl: string;
  createdAt: string;
  saves?: boolean;
  savePrefix?: string;
  keepVersions?: number;
}

/** Whether it is what `GET /api/buckets` answers. */
export function isBucketList(value: unknown): value is Bucket[] {
  return Array.isArray(value) && value.every(isBucket);
}

function isBucket(value: unknown): value is Bucket {
  const bucket: { [Member in keyof Bucket]?: unknown } = Object(value);
  const { name, acl, createdAt, saves, savePrefix = '', keepVersions = 1 } = bucket;
  return (
    [name, acl, createdAt, savePrefix].every((member) => typeof member === 'string') &&
    (saves === undefined || typeof saves === 'boolean') &&
    typeof keepVersions === 'number'
  );
}

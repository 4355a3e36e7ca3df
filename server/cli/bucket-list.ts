export interface Bucket {
  name: string;
  acl: string;
  createdAt: string;
}

/** Whether it is what `GET /api/buckets` answers. */
export function isBucketList(value: unknown): value is Bucket[] {
  return Array.isArray(value) && value.every(isBucket);
}

function isBucket(value: unknown): value is Bucket {
  const { name, acl, createdAt }: { [Member in keyof Bucket]?: unknown } = Object(value);
  return [name, acl, createdAt].every((member) => typeof member === 'string');
}

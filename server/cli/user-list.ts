export interface Grant {
  prefix: string;
  access: 'read' | 'write';
}

export interface User {
  name: string;
  role: 'admin' | 'member';
  grants: Grant[];
}

/** Whether it is what `GET /api/users` answers. */
export function isUserList(value: unknown): value is User[] {
  return Array.isArray(value) && value.every(isUser);
}

function isUser(value: unknown): value is User {
  const { name, role, grants }: { [Member in keyof User]?: unknown } = Object(value);
  return (
    typeof name === 'string' &&
    (role === 'admin' || role === 'member') &&
    Array.isArray(grants) &&
    grants.every(isGrant)
  );
}

function isGrant(value: unknown): value is Grant {
  const { prefix, access }: { [Member in keyof Grant]?: unknown } = Object(value);
  return typeof prefix === 'string' && (access === 'read' || access === 'write');
}

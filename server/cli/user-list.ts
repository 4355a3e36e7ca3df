export interface Grant {
  prefix: string;
  access: 'read' | 'write';
}

export interface User {
  name: string;
  role: 'admin' | 'member';
  grants: Grant[];
}

/** Reads what `GET /api/users` answers; undefined when it is something else. */
export function parseUsers(body: string): User[] | undefined {
  let users: unknown;
  try {
    users = JSON.parse(body);
  } catch {
    return undefined;
  }
  return Array.isArray(users) && users.every(isUser) ? users : undefined;
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

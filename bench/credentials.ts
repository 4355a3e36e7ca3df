/** The user of every request to Keystow; the password lives as long as the bench's server. */
export const credentials = { username: 'admin', password: 'bench-password-only' } as const;

/** The value of an Authorization header with these credentials. */
export const basicAuth = `Basic ${Buffer.from(
  `${credentials.username}:${credentials.password}`,
).toString('base64')}`;

/** First segments of paths that Keystow keeps for itself: no bucket has these names. */
export const reservedNames: ReadonlySet<string> = new Set([
  'data',
  'api',
  'submit-files',
  'console',
  'socket.io',
  'favicon.ico',
  'robots.txt',
  'metrics',
]);

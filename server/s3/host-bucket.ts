/**
 * The bucket that a Host such as `saves.s3.example:6375` names: what stands before one of the
 * domains, or undefined. `publicHost` (without a port) never names one, whatever the port.
 */
export function bucketOfHost(
  host: string,
  domains: readonly string[],
  publicHost: string | undefined,
): string | undefined {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (name === publicHost) return undefined;
  // The longest domain wins: `a.s3.localhost` is the bucket `a` where both are domains.
  const [domain] = domains
    .filter((candidate) => name.endsWith(`.${candidate}`))
    .sort((left, right) => right.length - left.length);
  if (domain === undefined || domains.includes(name)) return undefined;
  return name.slice(0, -domain.length - 1);
}

import { IDLE_TIMEOUT_MS } from '../../shared/limits.ts';
import { EXIT_UNREACHABLE, ExitError } from './exit-error.ts';

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the server with `keystow serve`, or correct --url',
  ENOTFOUND: 'there is no host of that name; correct --url',
  EAI_AGAIN: 'the host name cannot be looked up at the moment; check the network',
  EHOSTUNREACH: 'there is no way to that host; check the network',
  ENETUNREACH: 'there is no way to that network; check the network',
  ETIMEDOUT: 'the host does not answer; check the network, or correct --url',
  ECONNRESET: 'the connection was closed without an answer; a server with TLS needs an https URL',
  EPIPE: 'the connection was closed without an answer',
  HPE_INVALID_CONSTANT:
    'what listens there does not speak HTTP; a server with TLS needs an https URL',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there does not speak TLS; try --url with http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what listens there does not speak TLS; try --url with http://',
  EPROTO: 'what listens there does not speak TLS; try --url with http://',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name; use that name in --url, or --insecure to skip the check',
  CERT_HAS_EXPIRED: 'its certificate has expired; renew it, or use --insecure to skip the check',
};

/** Turns an error of node:http, node:https or their sockets into one sentence, exit code 3. */
export function networkError(baseUrl: URL, cause: unknown): ExitError {
  if (cause instanceof ExitError) {
    return cause;
  }
  const code = errorCode(cause);
  let reason = reasons[code];
  if (reason === undefined && /CERT|SELF_SIGNED|ISSUER|LEAF_SIGNATURE/.test(code)) {
    reason =
      'its certificate is not one that this machine trusts; name it with --ca FILE, or use --insecure to skip the check';
  }
  reason ??= cause instanceof Error ? cause.message : String(cause);
  return new ExitError(EXIT_UNREACHABLE, `cannot reach ${baseUrl.origin}: ${reason}.`, { cause });
}

/** For an answer that began and did not end. */
export function brokenAnswer(baseUrl: URL, cause: unknown): ExitError {
  return new ExitError(
    EXIT_UNREACHABLE,
    `the connection to ${baseUrl.origin} broke before the answer was complete.`,
    { cause },
  );
}

/** For a connection on which nothing happens any more. */
export function silence(baseUrl: URL): ExitError {
  return new ExitError(
    EXIT_UNREACHABLE,
    `${baseUrl.origin} did not answer: nothing moved for ${IDLE_TIMEOUT_MS / 1_000} s.`,
  );
}

/** For an upload whose connection did not last until its answer. */
export function brokenUpload(url: URL, cause: unknown): ExitError {
  if (errorCode(cause) === 'ECONNRESET' || errorCode(cause) === 'EPIPE') {
    return new ExitError(
      EXIT_UNREACHABLE,
      `the connection to ${url.origin} broke before the upload was complete.`,
      { cause },
    );
  }
  return networkError(url, cause);
}

export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

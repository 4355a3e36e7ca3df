import { KeystowError } from '../../shared/errors.ts';
import { S3Error } from '../s3/s3-error.ts';

/** What of an error clients are told: of one that is not meant for them, where the log tells more. */
export function toAnswerable(thrown: unknown, requestId: string): S3Error | KeystowError {
  if (thrown instanceof KeystowError || thrown instanceof S3Error) return thrown;
  return new KeystowError(
    'internal',
    `An unexpected error: the log tells more under the request id ${requestId}.`,
    { cause: thrown },
  );
}

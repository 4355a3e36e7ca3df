import { Agent } from 'node:https';
import {
  GetObjectCommand,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { BUCKET, keys } from './s3-server.ts';

/** The AWS SDK, told nothing but where the server is and which key it has. */

export function createSdkClient(endpoint: string, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    region: 'us-east-1',
    endpoint,
    forcePathStyle: true,
    credentials: keys,
    maxAttempts: 1,
    // The server of a test made its certificate itself.
    requestHandler: { httpsAgent: new Agent({ rejectUnauthorized: false }) },
    ...config,
  });
}

export async function refusalOf(sent: Promise<unknown>): Promise<S3ServiceException> {
  const error: unknown = await sent.then(
    () => new Error('It should have been refused.'),
    (reason: unknown) => reason,
  );
  if (error instanceof S3ServiceException) return error;
  throw error;
}

/** The code and the status of a refusal. */
export async function codeOf(sent: Promise<unknown>): Promise<[string, number | undefined]> {
  const { name, $metadata } = await refusalOf(sent);
  return [name, $metadata.httpStatusCode];
}

export async function readText(s3: S3Client, Key: string, Bucket = BUCKET): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? '';
}

/** The headers of all requests that the client sends from now on, names in lower case. */
export function recordHeaders(s3: S3Client): Record<string, string>[] {
  const sent: Record<string, string>[] = [];
  s3.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (typeof request === 'object' && request && 'headers' in request) {
        const headers = request.headers as Record<string, string>;
        sent.push(
          Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])),
        );
      }
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return sent;
}

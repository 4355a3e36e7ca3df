import { createHash } from 'node:crypto';
import { type ChunkSignatures, createChunkSignatures } from '../../server/s3/chunk-signature.ts';
import { signingKeyV4, signV4 } from '../../server/s3/signature.ts';
import { example } from './aws-examples.ts';

const scope = { date: '20130524', region: 'us-east-1', service: 's3' };
const amzDate = '20130524T000000Z';
const signingKey = signingKeyV4(example.secretAccessKey, scope);

/** Signatures of a request with AWS's example credentials, scope and time. */
export function exampleSignatures(seed: string): ChunkSignatures {
  return createChunkSignatures({ signingKey, scope, amzDate, seed });
}

/** A body of 64 KiB, 1 KiB and the end, all of them `a`, and what it is signed with. */
interface AwsExample {
  readonly seed: string;
  readonly chunks: readonly [string, string, string];
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
export const awsExample: AwsExample = {
  seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  chunks: [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ],
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
export const awsTrailerExample: AwsExample & { readonly trailer: string; readonly last: string } = {
  seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  chunks: [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ],
  trailer: 'x-amz-checksum-crc32c:sOO8/Q==',
  last: 'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
};

/** The body as AWS's page shows it, without the trailer and the empty line. */
export function awsBody({ chunks: [first, second, last] }: AwsExample): string {
  return [
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65_536)}\r\n`,
    `400;chunk-signature=${second}\r\n${'a'.repeat(1024)}\r\n`,
    `0;chunk-signature=${last}\r\n`,
  ].join('');
}

/** A body in chunks, written a second time here so that reader and writer do not share a mistake. */
export function encodeChunks(
  chunks: readonly Uint8Array[],
  options: { seed?: string; trailer?: readonly (readonly [string, string])[] },
): Buffer {
  const { trailer = [] } = options;
  let previous = options.seed;
  const sign = (kind: string, ...hashes: string[]) => {
    const prefix = `AWS4-HMAC-SHA256-${kind}\n${amzDate}\n20130524/us-east-1/s3/aws4_request`;
    previous = signV4(signingKey, [prefix, previous, ...hashes].join('\n'));
    return previous;
  };
  const encoded = [...chunks.filter((chunk) => chunk.length > 0), Buffer.alloc(0)].flatMap(
    (chunk) => {
      const signature =
        previous === undefined
          ? ''
          : `;chunk-signature=${sign('PAYLOAD', sha256(Buffer.alloc(0)), sha256(chunk))}`;
      const end = Buffer.from(chunk.length === 0 ? '' : '\r\n');
      return [Buffer.from(`${chunk.length.toString(16)}${signature}\r\n`), chunk, end];
    },
  );
  const lines = trailer.map(([name, value]) => `${name}:${value}`);
  if (previous !== undefined && lines.length > 0) {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    lines.push(`x-amz-trailer-signature:${sign('TRAILER', sha256(text))}`);
  }
  return Buffer.concat([
    ...encoded,
    Buffer.from(lines.map((line) => `${line}\r\n`).join('')),
    Buffer.from('\r\n'),
  ]);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

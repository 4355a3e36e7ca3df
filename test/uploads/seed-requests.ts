import { signV2 } from '../../server/s3/signature.ts';
import { policyVectors } from '../s3/aws-examples.ts';

/** The forms of the seeds, byte for byte apart from their placeholders. */

const [pictureVector, signedUrlVector] = policyVectors;
if (!pictureVector || !signedUrlVector) throw new Error('The vectors are missing.');

export interface SeedRequest {
  /** The request line and the headers but Content-Length, one a line. */
  readonly head: string;
  /** The form, one line a line, with `{{file}}` where the file's bytes go. */
  readonly form: string;
  readonly file: Uint8Array;
}

/** Lines as the wire has them. */
export function encodeRequest({ head, form, file }: SeedRequest): Buffer {
  const [before = '', after = ''] = form.split('{{file}}').map(toWire);
  const body = Buffer.concat([Buffer.from(before), file, Buffer.from(after)]);
  return Buffer.concat([Buffer.from(toWire(`${head}\nContent-Length: ${body.length}\n\n`)), body]);
}

function toWire(text: string): string {
  return text.replaceAll('\n', '\r\n');
}

/** Every value of a byte, line breaks and dashes among them. */
function fileOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 7) % 256));
}

export const pictureKeys = {
  accessKeyId: pictureVector.accessKeyId,
  secretAccessKey: pictureVector.secretAccessKey,
};

/** `s3-post-object.md`. Its Content-Length does not fit the size that it tells of the image. */
export const picture: SeedRequest = {
  head: `POST / HTTP/1.1
Host: johnsmith.s3.amazonaws.com
User-Agent: Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.8.1.10) Gecko/20071115 Firefox/2.0.0.10
Accept: text/xml,application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,image/png,*/*;q=0.5
Accept-Language: en-us,en;q=0.5
Accept-Encoding: gzip,deflate
Accept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7
Keep-Alive: 300
Connection: keep-alive
Content-Type: multipart/form-data; boundary=---------------------------9431149156168`,
  form: `-----------------------------9431149156168
Content-Disposition: form-data; name="key"

user/eric/MyPicture.jpg
-----------------------------9431149156168
Content-Disposition: form-data; name="acl"

public-read
-----------------------------9431149156168
Content-Disposition: form-data; name="success_action_redirect"

http://johnsmith.s3.amazonaws.com/successful_upload.html
-----------------------------9431149156168
Content-Disposition: form-data; name="Content-Type"

image/jpeg
-----------------------------9431149156168
Content-Disposition: form-data; name="x-amz-meta-uuid"

14365123651274
-----------------------------9431149156168
Content-Disposition: form-data; name="x-amz-meta-tag"

Some,Tag,For,Picture
-----------------------------9431149156168
Content-Disposition: form-data; name="AWSAccessKeyId"

15B4D3461F177624206A
-----------------------------9431149156168
Content-Disposition: form-data; name="Policy"

${pictureVector.policy}
-----------------------------9431149156168
Content-Disposition: form-data; name="Signature"

0RavWzkygo6QX9caELEqKi9kDbU=
-----------------------------9431149156168
Content-Disposition: form-data; name="file"; filename="MyFilename.jpg"
Content-Type: image/jpeg

{{file}}
-----------------------------9431149156168
Content-Disposition: form-data; name="submit"

Upload to Amazon S3
-----------------------------9431149156168--
`,
  file: fileOf(117_108),
};

/** The signature of the seed is a placeholder: any secret will do. */
export const saveKeys = {
  accessKeyId: 'AMAZONAPIKEY1234',
  secretAccessKey: 'uNiQuEsIgNaTuRePeRrEqUeSt123',
};

const savePolicy =
  'ewogICJleHBpcmF0aW9uIjogIjIwMjItMTAtMzBUMTU6MjM6MTguOTg5Mjc0WiIsCiAgImNvbmRpdGlvbnMiOiBbCiAgICB7ImJ1Y2tldCI6ICJjdHItand2ai1saXZlIiB9LAogICAgeyJhY2wiOiAicHJpdmF0ZSIgfSwKICAgIFsiZXEiLCAiJGtleSIsICIxMC5DVFJfSldWSl9kYXRhc3RvcmUvZHMvMS9kYXRhLzEyMzQ1Njc4OTAxLTAwMDA3Il0sCiAgICBbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwgNDU0LCA0NTRdCiAgXQp9';

/**
 * `save-data-post.md`, which shows the form alone. Its last line has two readings: the boundary ends
 * in dashes, or dashes follow the closing delimiter.
 */
export function save(boundary: string, closing: string): SeedRequest {
  return {
    head: `POST / HTTP/1.1
Host: 127.0.0.1
Content-Type: multipart/form-data; boundary=${boundary}`,
    form: `--${boundary}
Content-Disposition: form-data; name="key"

10.CTR_JWVJ_datastore/ds/1/data/12345678901-00007
--${boundary}
Content-Disposition: form-data; name="acl"

private
--${boundary}
Content-Disposition: form-data; name="AWSAccessKeyId"

AMAZONAPIKEY1234
--${boundary}
Content-Disposition: form-data; name="policy"

${savePolicy}
--${boundary}
Content-Disposition: form-data; name="signature"

${signV2(saveKeys.secretAccessKey, savePolicy)}
--${boundary}
Content-Disposition: form-data; name="file"

{{file}}
${closing}
`,
    file: fileOf(454),
  };
}

export const signedUrlKeys = {
  accessKeyId: signedUrlVector.accessKeyId,
  secretAccessKey: signedUrlVector.secretAccessKey,
};

const signedUrlFields = {
  key: 'direct_uploads/b8a12730-67b9-449f-96cd-7d0e3542fa94',
  success_action_status: '201',
  policy: signedUrlVector.policy,
  'x-amz-credential': 'accessKey1/20190220/us-east-1/s3/aws4_request',
  'x-amz-algorithm': 'AWS4-HMAC-SHA256',
  'x-amz-date': '20190220T184023Z',
  'x-amz-signature': 'cfd01eddd4d74be84a727d0acc3083271b0b3eaa8058111dadcf5bd60d9fe58b',
};

/** The form that the answer of `create-signed-url.md` is for, as a browser sends it to its `url`. */
export const signedUrl: SeedRequest = {
  head: `POST /etapidirectbuckettest HTTP/1.1
Host: localhost:9000
Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW`,
  form: [
    ...Object.entries(signedUrlFields).map(
      ([name, value]) => `------WebKitFormBoundary7MA4YWxkTrZu0gW
Content-Disposition: form-data; name="${name}"

${value}
`,
    ),
    `------WebKitFormBoundary7MA4YWxkTrZu0gW
Content-Disposition: form-data; name="file"; filename="report.pdf"
Content-Type: application/pdf

{{file}}
------WebKitFormBoundary7MA4YWxkTrZu0gW--
`,
  ].join(''),
  file: fileOf(100_000),
};

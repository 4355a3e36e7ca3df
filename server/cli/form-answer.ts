import type { IncomingMessage } from 'node:http';
import { readXml, type XmlElement } from '../s3/xml-reader.ts';
import { RefusedError } from './exit-error.ts';
import { brokenAnswer } from './network-error.ts';

/** Bytes of an answer that are looked at: S3's own have a few hundred. */
const MAX_ANSWER_BYTES = 262_144;

/** Where the object is, and its entity tag with its quotes. */
export interface StoredUpload {
  location: string;
  etag: string;
}

/** What S3 answers to a form. Throws its code and message where it refuses. */
export async function readFormAnswer(url: URL, response: IncomingMessage): Promise<StoredUpload> {
  const status = response.statusCode ?? 0;
  const body = await readAnswer(url, response);
  const { location, etag } = response.headers;
  if (status < 200 || status > 299) {
    throw new RefusedError(
      status,
      s3Sentence(body) ??
        `${url.origin} answered ${status} ${response.statusMessage} to the upload.`,
    );
  }
  if (location === undefined || etag === undefined) {
    throw new RefusedError(
      status,
      `${url.origin} did not say where the upload is: is it a Keystow server or S3?`,
    );
  }
  return { location, etag };
}

async function readAnswer(url: URL, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) {
        break;
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw brokenAnswer(url, error);
  }
  return Buffer.concat(chunks).toString();
}

/** Code and message of S3's error; undefined for what is none. */
function s3Sentence(body: string): string | undefined {
  const error = parse(body);
  const textOf = (name: string) => error?.children.find((child) => child.name === name)?.text;
  const code = textOf('Code');
  if (error?.name !== 'Error' || code === undefined) {
    return undefined;
  }
  const message = textOf('Message') ?? '';
  return message === '' ? code : `${code}: ${message.replace(/([^.!?])$/, '$1.')}`;
}

function parse(body: string): XmlElement | undefined {
  try {
    return readXml(body);
  } catch {
    return undefined;
  }
}

import type { ErrorMember } from './s3-error.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

/** The body of an answer with an error, its members in S3's order. */
export function errorXml(
  error: { code: string; message: string; extra: readonly ErrorMember[] },
  answer: { resource?: string | undefined; requestId: string; hostId: string },
): string {
  const members = [
    xmlElement('Code', error.code),
    xmlElement('Message', error.message),
    ...error.extra.map(([name, value]) => xmlElement(name, value)),
    ...(answer.resource === undefined ? [] : [xmlElement('Resource', answer.resource)]),
    xmlElement('RequestId', answer.requestId),
    xmlElement('HostId', answer.hostId),
  ];
  return `${XML_DECLARATION}<Error>${members.join('')}</Error>`;
}

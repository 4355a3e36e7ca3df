import { codeOf, KeystowClientError } from '../../shared/client/client-error.ts';

/** What an S3 route's answer says that it refuses: the sentence of its XML. A HEAD has none. */
export async function s3Refusal(answer: Response): Promise<KeystowClientError> {
  const { status } = answer;
  const xml = new DOMParser().parseFromString(await answer.text(), 'text/xml');
  const textOf = (name: string): string | undefined =>
    xml.querySelector(`Error > ${name}`)?.textContent || undefined;
  const s3Code = textOf('Code');
  const message = textOf('Message') ?? SENTENCES[status] ?? `The server answered ${status}.`;
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  return new KeystowClientError(codeOf(status), message, {
    status,
    s3Code,
    retryAfter: Number.isNaN(seconds) ? undefined : seconds,
  });
}

const SENTENCES: Readonly<Record<number, string>> = {
  401: 'The user or the password is not right any more.',
  403: 'You have no grant for this object.',
  404: 'There is no such object: it was deleted, perhaps.',
};

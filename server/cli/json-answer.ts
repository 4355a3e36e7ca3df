import type { IncomingMessage } from 'node:http';
import type { ApiClient } from './api-client.ts';
import { EXIT_FAILED, ExitError } from './exit-error.ts';

/**
 * An answer as JSON of the form that a Keystow server gives it. Throws where it has another; `what`
 * is the form in words.
 */
export async function readJson<T>(
  client: ApiClient,
  response: IncomingMessage,
  isExpected: (value: unknown) => value is T,
  what: string,
): Promise<T> {
  const value = parse(await client.readBody(response));
  if (!isExpected(value)) {
    throw new ExitError(
      EXIT_FAILED,
      `${client.baseUrl.origin} answered something that is no ${what}: is --url a Keystow server?`,
    );
  }
  return value;
}

/** undefined, which JSON cannot say, where the text is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

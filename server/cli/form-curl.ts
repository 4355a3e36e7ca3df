import type { SignedForm } from './signed-form.ts';

/** What the curl of `curlCommand` is to trust. */
export interface CurlTrust {
  /** A PEM file. */
  cacert?: string | undefined;
  insecure: boolean;
}

/** The form as a command for a POSIX shell, one field a line; FILE stands for the file's path. */
export function curlCommand({ url, fields }: SignedForm, trust: CurlTrust): string {
  const words = [
    ...trustWords(trust),
    // --form would read `@`, `<` and `;type=` in a value.
    ...Object.entries(fields).map(([name, value]) => `--form-string ${quote(`${name}=${value}`)}`),
    '--form file=@FILE',
  ];
  return [`curl ${quote(url)}`, ...words].join(' \\\n  ');
}

function trustWords({ cacert, insecure }: CurlTrust): string[] {
  if (insecure) {
    return ['--insecure'];
  }
  return cacert === undefined ? [] : [`--cacert ${quote(cacert)}`];
}

/** Nothing is special to a shell within single quotes, but the quote itself. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

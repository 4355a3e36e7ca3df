import { type Command, InvalidArgumentError } from 'commander';

/** A parser for an option that is a whole number from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`It must be a whole number, ${range}.`);
    }
    return value;
  };
}

/** For names: an empty one is mostly a variable of the shell that nobody set. */
export function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** An entity tag as RFC 9110 writes it: shells eat the quotes, so a bare number gets them back. */
export function entityTag(text: string): string {
  return /^\d+$/.test(text) ? `"${text}"` : text;
}

/** Gives a command its examples, shown below its options. */
export function addExamples(command: Command, ...lines: string[]): Command {
  const heading = lines.length === 1 ? 'Example' : 'Examples';
  return command.addHelpText(
    'after',
    `\n${heading}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import { cannedAcls } from '../s3/canned-acl.ts';
import { notEmpty } from './option-values.ts';

/** What a form says of the object that comes of it. */
export interface ObjectOptions {
  contentType?: string;
  acl?: string;
  meta?: Readonly<Record<string, string>>;
}

/** Gives a command the options of `ObjectOptions`. */
export function addObjectOptions(command: Command): Command {
  return command
    .option(
      '--content-type <type>',
      'the type that the object is read back with (default: binary/octet-stream)',
      notEmpty,
    )
    .addOption(
      new Option(
        '--acl <acl>',
        'who may read the object besides those with a grant (default: private)',
      ).choices(cannedAcls),
    )
    .option(
      '--meta <name=value>',
      'metadata that is kept with the object, may be repeated',
      collectMetadata,
    );
}

/** The members of the request for a form; those that are undefined are left out of its JSON. */
export function objectInput({ contentType, acl, meta: metadata }: ObjectOptions): object {
  return { contentType, acl, metadata };
}

function collectMetadata(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError(
      'It must be NAME=VALUE, the name of letters, digits, dots, hyphens and underscores.',
    );
  }
  const isTaken = Object.keys(previous).some((other) => other.toLowerCase() === name.toLowerCase());
  if (isTaken) {
    throw new InvalidArgumentError('Each name can be given once; its case does not count.');
  }
  return { ...previous, [name]: value };
}

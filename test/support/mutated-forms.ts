import { createRandom, intBetween, pick, type Random } from '../faults/random.ts';
import { buildFormBody, type FormBody, type FormPart } from './form-body.ts';
import { spoilHeaders, varyHeaders } from './mutated-headers.ts';
import { isToken, randomBoundary } from './random-boundary.ts';
import { holdsDelimiter, randomContent } from './random-contents.ts';
import { randomSplit } from './random-splits.ts';

/** Forms made from one by chance, the same for the same seed: about half of them spoilt. */

export interface BaseForm {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly file: Buffer;
}

export interface MutatedForm {
  readonly contentType: string;
  readonly body: Buffer;
  /** The body in the pieces in which to send it; at once where there are none. */
  readonly chunks?: readonly Buffer[];
  /** What was done that may break the form or change its fields. */
  readonly mutations: readonly string[];
}

interface Draft extends FormBody {
  readonly contentType: string;
}

type DraftMutation = (random: Random, draft: Draft) => Partial<Draft>;
type BodyMutation = (random: Random, body: Buffer) => Buffer;

const FILE_NAMES = [
  undefined,
  undefined,
  '',
  'file.txt',
  'C:\\Program Files\\directory1\\file.txt',
  'dir/é "quoted".txt',
] as const;

const DRAFT_MUTATIONS: Readonly<Record<string, DraftMutation>> = {
  'a field twice': (random, { parts }) => ({
    parts: insert(random, parts, pickPart(random, parts)),
  }),
  'many fields': (random, { parts }) => ({
    parts: [
      ...Array.from({ length: intBetween(random, 100, 2_500) }, (_, index) =>
        textPart(`extra-${index}`, 'x'),
      ),
      ...parts,
    ],
  }),
  'a large field': (random, { parts }) => ({
    parts: insert(random, parts, textPart('large', 'x'.repeat(intBetween(random, 15_000, 90_000)))),
  }),
  'a field over a megabyte': (random, { parts }) => ({
    parts: random() < 0.1 ? [textPart('huge', 'x'.repeat(1_100_000)), ...parts] : parts,
  }),
  'a long name': (random, { parts }) => ({
    parts: insert(random, parts, textPart('n'.repeat(intBetween(random, 90, 5_000)), 'x')),
  }),
  'a field that is no UTF-8': (random, { parts }) => ({
    parts: insert(random, parts, textPart('latin', Buffer.from('a\xe9b', 'latin1'))),
  }),
  'no file': (_, { parts }) => ({ parts: parts.filter((part) => !isFile(part)) }),
  'a second file': (random, { parts }) => ({
    parts: insert(random, parts, textPart(pick(random, ['file', 'File']), 'second')),
  }),
  'the file first': (_, { parts }) => ({
    parts: [...parts.filter(isFile), ...parts.filter((part) => !isFile(part))],
  }),
  'no parts': () => ({ parts: [] }),
  'spoilt headers': (random, { parts }) => {
    const at = intBetween(random, 0, parts.length - 1);
    return { parts: parts.map((part, index) => (index === at ? spoilPart(random, part) : part)) };
  },
  'a delimiter in a content': (random, { parts, boundary }) => {
    const tail = pick(random, ['', 'x', '-', '-x', '--x', ' ', '\r\n', '--', '\n']);
    return { parts: insert(random, parts, textPart('a', `b\r\n--${boundary}${tail}c`)) };
  },
  'other line ends': (random) => ({ lineEnd: pick(random, ['\n', '\n', '\r', '\r\r\n']) }),
  'dashes after the end': (random) => ({
    finalLineEnd: false,
    epilogue: pick(random, ['-', '--', '--\r\n', 'x\r\n', '\n', '\r']),
  }),
  'wrong padding': (random) => ({ padding: pick(random, ['x', '-', '\0', '\u00a0', ' x']) }),
  'another content type': (random, { contentType, boundary }) => ({
    contentType: pick(random, [
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=""',
      'text/plain',
      '',
      contentType.replace('form-data', 'mixed'),
      contentType.replace(boundary, `${boundary}x`),
      contentType.replace(boundary, boundary.slice(1)),
      contentType.replace(/"$/, ''),
      `${contentType};`,
      `${contentType}; boundary=other`,
      `multipart/form-data; boundary=${boundary}`,
    ]),
  }),
};

const BODY_MUTATIONS: Readonly<Record<string, BodyMutation>> = {
  'cut off': (random, body) => body.subarray(0, intBetween(random, 0, body.length)),
  'cut off near the end': (random, body) =>
    body.subarray(0, Math.max(0, body.length - intBetween(random, 1, 90))),
  'a byte changed': (random, body) =>
    edit(
      random,
      body,
      1,
      Buffer.of(pick(random, [10, 13, 32, 34, 45, intBetween(random, 0, 255)])),
    ),
  'bytes deleted': (random, body) => edit(random, body, intBetween(random, 1, 4), Buffer.alloc(0)),
  'bytes inserted': (random, body) =>
    edit(
      random,
      body,
      0,
      Buffer.from(pick(random, ['\r\n', '\n', '\r', '-', '"', ';', ' ', '\0'])),
    ),
};

export function mutateForm(seed: number, base: BaseForm): MutatedForm {
  const random = createRandom(seed);
  let draft = plainVariant(random, base);
  const mutations: string[] = [];
  let body: Buffer | undefined;
  if (random() < 0.5) {
    for (let left = pick(random, [1, 1, 1, 2]); left > 0; left -= 1) {
      if (random() < 0.65) {
        const [name, mutate] = pickEntry(random, DRAFT_MUTATIONS);
        if (draft.parts.length > 0) draft = { ...draft, ...mutate(random, draft) };
        mutations.push(name);
      } else {
        const [name, mutate] = pickEntry(random, BODY_MUTATIONS);
        body = mutate(random, body ?? buildFormBody(draft));
        mutations.push(name);
      }
    }
  }
  body ??= buildFormBody(draft);
  const chunks = randomSplit(random, body, draft.boundary);
  return { contentType: draft.contentType, body, mutations, ...(chunks && { chunks }) };
}

/** The form in another dress: well-formed, its fields as they were, the file's bytes by chance. */
function plainVariant(random: Random, { fields, file }: BaseForm): Draft {
  const { boundary, content } = matchingBoundary(random, { fields, file });
  const parts: FormPart[] = fields.map(([name, value]) => ({
    headers: varyHeaders(random, name, random() < 0.1 ? 'name.txt' : undefined),
    content: value,
  }));
  const fileName = pick(random, FILE_NAMES)?.replaceAll('"', '\\"');
  parts.push({
    headers: varyHeaders(random, pick(random, ['file', 'file', 'File', 'FILE']), fileName),
    content,
  });
  if (random() < 0.3) parts.push(textPart('submit', 'Upload to Amazon S3'));
  const quoted = !isToken(boundary) || random() < 0.3 ? `"${boundary}"` : boundary;
  const type = pick(random, ['multipart/form-data', 'multipart/form-data', 'Multipart/Form-Data']);
  const parameters = pick(random, ['; boundary=', ';boundary=', '; charset=utf-8; BOUNDARY=']);
  return {
    boundary,
    parts,
    contentType: type + parameters + quoted,
    finalLineEnd: random() < 0.8,
    ...(random() < 0.1 && { preamble: pick(random, ['', 'A form.', 'Two\r\nlines', '\r\n']) }),
    ...(random() < 0.1 && {
      finalLineEnd: true,
      epilogue: pick(random, ['bye', '\r\n', `\r\n--${boundary}\r\n`, 'x'.repeat(70_000)]),
    }),
    ...(random() < 0.1 && { padding: pick(random, [' ', '\t', '  \t ']) }),
  };
}

/** A boundary that no content holds, with a file's content that may come close to it. */
function matchingBoundary(
  random: Random,
  { fields, file }: BaseForm,
): { boundary: string; content: Buffer } {
  for (;;) {
    const boundary = randomBoundary(random);
    const content = randomContent(random, boundary, file);
    const contents = [content, ...fields.map(([, value]) => Buffer.from(value))];
    if (!contents.some((each) => holdsDelimiter(each, boundary))) return { boundary, content };
  }
}

function textPart(name: string, content: string | Buffer): FormPart {
  return { headers: [`Content-Disposition: form-data; name="${name}"`], content };
}

function spoilPart(random: Random, part: FormPart): FormPart {
  const headers = part.headers.map(String);
  return { ...part, headers: spoilHeaders(random, headers, isFile(part) ? 'file' : 'key') };
}

function isFile({ headers }: FormPart): boolean {
  return headers.some((line) => /[\s;]name="?file\b/i.test(String(line)));
}

function pickPart(random: Random, parts: readonly FormPart[]): FormPart {
  return parts[intBetween(random, 0, parts.length - 1)] ?? textPart('key', 'x');
}

function insert(random: Random, parts: readonly FormPart[], part: FormPart): FormPart[] {
  return parts.toSpliced(intBetween(random, 0, parts.length), 0, part);
}

/** Within the first or the last bytes, where the structure of a form is. */
function edit(random: Random, body: Buffer, removed: number, added: Buffer): Buffer {
  const reach = Math.min(body.length, 1_500);
  const distance = intBetween(random, 0, reach);
  const at = random() < 0.5 ? distance : body.length - distance;
  return Buffer.concat([body.subarray(0, at), added, body.subarray(at + removed)]);
}

function pickEntry<T>(random: Random, entries: Readonly<Record<string, T>>): [string, T] {
  const [first, ...rest] = Object.entries(entries);
  if (first === undefined) throw new Error('There is nothing to choose from.');
  return pick(random, [first, ...rest]);
}

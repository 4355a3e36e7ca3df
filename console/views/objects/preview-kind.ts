import { formatBytes } from '../../parts/amounts.ts';

/** How an object can be looked at without being trusted. */
export type PreviewKind =
  /** `type` is one of a few, whatever the object says: pictures run nothing. */
  | { readonly kind: 'image'; readonly type: string }
  | { readonly kind: 'text' }
  | { readonly kind: 'none'; readonly reason: string; readonly mayBeText: boolean };

export interface Previewed {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

export const MAX_TEXT_BYTES = 1_048_576;
export const MAX_IMAGE_BYTES = 20 * 1_048_576;

const IMAGES: Readonly<Record<string, string>> = {
  png: 'image/png',
  apng: 'image/apng',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  ico: 'image/x-icon',
  svg: 'image/svg+xml',
};
const IMAGE_TYPES: ReadonlySet<string> = new Set(Object.values(IMAGES));
const TEXT_TYPES =
  /^(text\/.*|application\/(json|x-ndjson|jsonl|xml|javascript|ecmascript|yaml|x-yaml|toml|sql|x-sh|xhtml\+xml|.*\+(json|xml)))$/;
const TEXT_NAMES =
  /\.(txt|md|csv|tsv|log|json|ndjson|jsonl|xml|html?|css|m?[jt]sx?|ya?ml|toml|ini|conf|sql|sh|py|rb|rs|go|c|h|cpp|java|lua)$/i;
/** What uploads have that name no type. */
const UNTOLD: ReadonlySet<string> = new Set([
  '',
  'binary/octet-stream',
  'application/octet-stream',
]);

export function previewKind(object: Previewed): PreviewKind {
  const { key, size, contentEncoding } = object;
  const [first = ''] = (object.contentType ?? '').split(';');
  const type = first.trim().toLowerCase();
  if (size === 0) return none('It is empty.');
  const image = IMAGE_TYPES.has(type) ? type : UNTOLD.has(type) ? imageByName(key) : undefined;
  if (image && size > MAX_IMAGE_BYTES) {
    return none(`It has more than ${formatBytes(MAX_IMAGE_BYTES)}: download it to see it.`);
  }
  if (image) return { kind: 'image', type: image };
  const isText = TEXT_TYPES.test(type) || (UNTOLD.has(type) && TEXT_NAMES.test(key));
  if (contentEncoding && size > MAX_TEXT_BYTES) {
    return none('It is stored compressed, so its beginning alone cannot be read: download it.');
  }
  if (isText) return { kind: 'text' };
  return { ...none('Objects of this type are not shown.'), mayBeText: true };
}

/** Its characters, by the charset of its type, without one that is cut off at the end. */
export function decodeText(bytes: Uint8Array, contentType = ''): string {
  const named = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1];
  const marked =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined;
  return decoderOf(marked ?? named ?? 'utf-8').decode(bytes, { stream: true });
}

function decoderOf(charset: string) {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

function imageByName(key: string): string | undefined {
  const extension = /\.([a-z]+)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(IMAGES, extension) ? IMAGES[extension] : undefined;
}

function none(reason: string): PreviewKind & { kind: 'none' } {
  return { kind: 'none', reason, mayBeText: false };
}

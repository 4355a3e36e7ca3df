import { documentKeys, documentText, PAGE_KEYS } from '../documents.ts';

/** What the bare servers answer to every GET of a document, and of a list. */
export const DOCUMENT_PATH = '/document';
export const LIST_PATH = '/list';

const [firstKey = '', ...otherKeys] = documentKeys('document', PAGE_KEYS);

export const document = documentText(firstKey);
export const list = JSON.stringify([firstKey, ...otherKeys]);

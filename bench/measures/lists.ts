import { documentKeys } from '../documents.ts';
import type { Measure } from './measure.ts';
import { measureOverHttp } from './over-http.ts';

export const LISTS = 'lists';
const KEYS = 5_000;

/** The first page of a list, 100 keys of 5,000. */
export const lists: Measure = (settings) =>
  measureOverHttp(
    { name: LISTS, keys: documentKeys('document', KEYS), requests: (peer) => peer.list },
    settings,
  );

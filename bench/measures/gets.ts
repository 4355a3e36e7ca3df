import { documentKeys, randomKey } from '../documents.ts';
import type { Measure } from './measure.ts';
import { measureOverHttp } from './over-http.ts';

const KEYS = 5_000;

/** Documents read by random keys out of 5,000. */
export const gets: Measure = (settings) => {
  const keys = documentKeys('document', KEYS);
  return measureOverHttp(
    { name: 'gets', keys, requests: (peer) => () => peer.get(randomKey(keys)) },
    settings,
  );
};

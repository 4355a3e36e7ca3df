import { freshKeys } from '../documents.ts';
import type { Measure } from './measure.ts';
import { measureOverHttp } from './over-http.ts';

export const CREATES = 'creates';

/** Documents created under distinct keys in a store that is empty at the start. */
export const creates: Measure = (settings) =>
  measureOverHttp(
    {
      name: CREATES,
      keys: [],
      requests: (peer) => {
        const nextKey = freshKeys('new');
        return () => peer.create(nextKey());
      },
    },
    settings,
  );

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { keyOfUrl } from '../../api/object-path.ts';
import { listObjects } from '../../api/objects.ts';
import { onChange } from '../../live.ts';
import { createListing, type Listing, type ListingState, NOTHING_YET } from './listing.ts';

/** The entries of a bucket that begin with a prefix, as folders and objects, renewed as others write. */
export function useListing(
  bucket: string,
  prefix: string,
): ListingState & Pick<Listing, 'more' | 'renew'> {
  const [state, setState] = useState<ListingState>(NOTHING_YET);
  const current = useRef<Listing | undefined>(undefined);

  useEffect(() => {
    const listing = createListing(
      prefix,
      (page) => listObjects({ bucket, prefix, delimiter: '/', ...page }),
      setState,
    );
    current.current = listing;
    listing.more();
    const stop = onChange((item) => {
      // What begins anew tells of nothing that was written before.
      if (!('url' in item)) return listing.renew();
      const key = keyOfUrl(item.url, bucket);
      if (key?.startsWith(prefix)) listing.hear(key, item.type);
    });
    return () => {
      stop();
      listing.end();
    };
  }, [bucket, prefix]);

  return {
    ...state,
    more: useCallback(() => current.current?.more(), []),
    renew: useCallback(() => current.current?.renew(), []),
  };
}

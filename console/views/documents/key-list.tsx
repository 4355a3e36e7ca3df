import { countOf } from '../../parts/amounts.ts';
import { findKey } from '../../parts/byte-order.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { useTyped } from '../../parts/use-typed.ts';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { current } from '../../session.ts';
import type { Keys } from './use-keys.ts';

export function KeySearch({
  prefix,
  onPrefix,
}: {
  prefix: string;
  onPrefix: (to: string) => void;
}) {
  const [typed, setTyped] = useTyped(prefix, onPrefix);
  return (
    <label>
      Keys that begin with
      <input
        type="search"
        class="mono"
        value={typed}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="none"
        placeholder="all of them"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  );
}

export function KeyList(props: {
  prefix: string;
  keys: Keys;
  chosen: string | undefined;
  onChoose: (key: string) => void;
}) {
  const { prefix, keys, chosen, onChoose } = props;
  const { items, hasMore, isLoading, isTooLong, error, more } = keys;
  const found = chosen === undefined ? -1 : findKey(items, chosen);
  const isEmpty = items.length === 0 && !hasMore && !isLoading && error === undefined;
  return (
    <>
      <ErrorNotice error={error} onRetry={more} />
      {isEmpty ? (
        <Empty prefix={prefix} />
      ) : (
        <VirtualList
          label="Keys"
          items={items}
          hasMore={hasMore}
          selected={found >= 0 ? found : undefined}
          row={(key) => <StoredText text={key} />}
          onSelect={onChoose}
          onEnd={more}
        />
      )}
      <p class="hint">
        {isLoading && items.length === 0
          ? 'Reading the keys …'
          : isEmpty
            ? ''
            : countOf(items.length, 'key')}
        {hasMore && items.length > 0 && ', more as you scroll'}
        {isTooLong && ': there are more. Narrow the search to see the others.'}
      </p>
    </>
  );
}

function Empty({ prefix }: { prefix: string }) {
  return (
    <div class="panel" role="status">
      {prefix !== '' ? (
        <p class="breaks">
          No key that you may read begins with <StoredText text={prefix} />. Upper and lower case
          are different letters.
        </p>
      ) : current().isAdmin ? (
        <p>There are no documents yet: make the first with “New document”.</p>
      ) : (
        <p>
          There is nothing here that you may read. Your grants cover documents that are not there
          yet, or none: ask an admin for a grant such as <code>data/players/</code>.
        </p>
      )}
    </div>
  );
}

import { useMemo, useRef, useState } from 'preact/hooks';
import { formatCount } from '../../parts/amounts.ts';
import { differenceOf } from './byte-difference.ts';
import { findBytes, parsePattern } from './byte-search.ts';
import { hexOffset, type Mark, parseOffset } from './hex-rows.ts';
import { HexTable, type ScrollTo } from './hex-table.tsx';

/** A save's bytes in hexadecimal and ASCII, and where they differ from another's. */
export function HexView(props: {
  version: number;
  bytes: Uint8Array;
  isCut: boolean;
  other: { readonly version: number; readonly bytes: Uint8Array } | undefined;
}) {
  const { version, bytes, isCut, other } = props;
  const [target, setTarget] = useState<{ readonly offset: number; readonly length: number }>();
  const [news, setNews] = useState('');
  const [isOnlyDifferent, setOnlyDifferent] = useState(false);
  const scrollTo = useRef<ScrollTo>(() => {});
  const difference = useMemo(
    () => other && differenceOf(bytes, other.bytes),
    [bytes, other?.bytes],
  );

  function show(offset: number, length: number, what: string): void {
    setTarget({ offset, length });
    setNews(`${what} at offset 0x${offset.toString(16)} (${formatCount(offset)}).`);
    scrollTo.current(offset);
  }

  function goTo(typed: string): void {
    const offset = parseOffset(typed);
    if (offset === undefined) setNews('An offset is a number such as 4096 or 0x1000.');
    else if (offset >= bytes.length) {
      setNews(`The last offset is 0x${Math.max(0, bytes.length - 1).toString(16)}.`);
    } else show(offset, 1, 'Byte');
  }

  function find(typed: string, kind: 'text' | 'hex'): void {
    const pattern = parsePattern(typed, kind);
    if (!pattern) {
      setNews(kind === 'hex' ? 'Bytes are pairs of digits such as 0a ff.' : 'Type what to find.');
      return;
    }
    const next = findBytes(bytes, pattern, target ? target.offset + 1 : 0);
    const found = next ?? findBytes(bytes, pattern, 0);
    if (found === undefined) setNews('It is not in these bytes.');
    else show(found, pattern.length, next === undefined ? 'Found again from the start' : 'Found');
  }

  function nextDifference(): void {
    if (difference?.first === undefined) return;
    const next = difference.nextFrom(target ? target.offset + 1 : 0);
    show(next ?? difference.first, 1, 'Difference');
  }

  const markOf = (offset: number): Mark | undefined => {
    const isFound = target && offset >= target.offset && offset < target.offset + target.length;
    if (!difference?.isDifferent(offset)) return isFound ? 'found' : undefined;
    return isFound ? 'different found' : 'different';
  };

  if (bytes.length === 0 && !other) return <p class="muted">This version has no bytes.</p>;
  return (
    <div class="hex">
      <div class="toolbar">
        <HexForm
          label="Offset"
          hint="Offset or 0x…"
          action="Go"
          onSubmit={(data) => goTo(text(data, 'value'))}
        />
        <HexForm
          label="Text or bytes"
          action="Find next"
          onSubmit={(data) =>
            find(text(data, 'value'), data.get('kind') === 'hex' ? 'hex' : 'text')
          }
        >
          <select name="kind" aria-label="Find as">
            <option value="text">text</option>
            <option value="hex">bytes</option>
          </select>
        </HexForm>
      </div>
      {other && difference && (
        <div class="toolbar">
          <p class="breaks" role="status">
            {describe(difference, other.version, isCut)}
            {bytes.length !== other.bytes.length &&
              ` Version ${bytes.length > other.bytes.length ? version : other.version} is ${formatCount(Math.abs(bytes.length - other.bytes.length))} bytes longer.`}
          </p>
          {difference.count > 0 && (
            <>
              <button type="button" onClick={nextDifference}>
                Next difference
              </button>
              <label class="inline">
                <input
                  type="checkbox"
                  checked={isOnlyDifferent}
                  onChange={({ currentTarget }) => setOnlyDifferent(currentTarget.checked)}
                />
                Only rows that differ, of both
              </label>
            </>
          )}
        </div>
      )}
      <p class="muted" role="status">
        {news}
      </p>
      <HexTable
        label={`Bytes of version ${version}`}
        version={version}
        bytes={bytes}
        other={other}
        difference={difference}
        isOnlyDifferent={isOnlyDifferent && (difference?.count ?? 0) > 0}
        markOf={markOf}
        scrollTo={scrollTo}
      />
    </div>
  );
}

function describe(
  { count, first }: { readonly count: number; readonly first: number | undefined },
  other: number,
  isCut: boolean,
): string {
  const where = isCut ? ' in what is shown' : '';
  if (first === undefined) return `The same bytes as version ${other}${where}.`;
  const bytes = count === 1 ? '1 byte differs' : `${formatCount(count)} bytes differ`;
  return `${bytes} from version ${other}${where}, the first at offset 0x${hexOffset(first)}.`;
}

function HexForm(props: {
  label: string;
  hint?: string;
  action: string;
  onSubmit: (data: FormData) => void;
  children?: preact.ComponentChildren;
}) {
  const { label, hint = label, action, onSubmit, children } = props;
  return (
    <form
      class="toolbar"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      <input
        name="value"
        class="mono"
        aria-label={label}
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
      />
      {children}
      <button type="submit">{action}</button>
    </form>
  );
}

function text(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === 'string' ? value : '';
}

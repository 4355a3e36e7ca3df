import { useEffect, useId, useState } from 'preact/hooks';
import { KeystowClientError } from '../../../shared/client/index.ts';
import { readChanges, readHead } from '../../api/changes.ts';
import { liveState, onChange } from '../../live.ts';
import { formatCount } from '../../parts/amounts.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { href, replace, route } from '../../router.ts';
import { perSecond } from './arrival-rate.ts';
import {
  type Beginning,
  type ChangeLog,
  type ChangeLogState,
  createChangeLog,
  MAX_ENTRIES,
} from './change-log.ts';
import { ChangeTable, entriesText } from './change-table.tsx';

/** The change feed. Which part of it is in the fragment: `prefix`, and `since`, a number or `oldest`. */

export function Feed() {
  const id = useId();
  const prefix = route.value.query.get('prefix') ?? '';
  const since = route.value.query.get('since') ?? '';
  const log = useChangeLog(prefix, since);
  const state = log?.state.value;
  return (
    <section class="column feed" aria-labelledby={id}>
      <h2 id={id}>Changes</h2>
      <Filter prefix={prefix} since={since} />
      {log && state && (
        <>
          <Controls log={log} state={state} />
          <Connection />
          <Trouble log={log} state={state} prefix={prefix} />
          {state.entries.length > 0 ? (
            <ChangeTable key={`${prefix} ${since}`} entries={state.entries} total={state.total} />
          ) : (
            state.phase === 'following' && <Nothing state={state} prefix={prefix} />
          )}
          <Reach log={log} state={state} prefix={prefix} />
        </>
      )}
    </section>
  );
}

/** Read while the view is shown, and no longer: the server's log remembers what was in between. */
function useChangeLog(prefix: string, since: string): ChangeLog | undefined {
  const [log, setLog] = useState<ChangeLog>();
  useEffect(() => {
    const source = {
      head: readHead,
      page: readChanges,
      listen: onChange,
      nextFrame: (paint: () => void) => requestAnimationFrame(paint),
    };
    const made = createChangeLog(source, { prefix, beginning: beginningOf(since) });
    setLog(made);
    return () => made.end();
  }, [prefix, since]);
  return log;
}

function beginningOf(since: string): Beginning {
  if (since === 'oldest') return 'oldest';
  return /^\d{1,16}$/.test(since) ? Number(since) : 'latest';
}

const TYPING_MS = 300;

function Filter({ prefix, since }: { prefix: string; since: string }) {
  const [typed, setTyped] = useState(prefix);
  const [number, setNumber] = useState(since);
  useEffect(() => setTyped(prefix), [prefix]);
  useEffect(() => setNumber(since), [since]);
  useEffect(() => {
    if (typed === prefix) return;
    const timer = setTimeout(() => show(typed, since), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, prefix, since]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    show(typed, number.trim());
  };
  return (
    <form class="filter" onSubmit={submit}>
      <label>
        Paths that begin with
        <input
          name="prefix"
          value={typed}
          placeholder="/data/players/"
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <label>
        After number
        <input
          name="since"
          value={number}
          placeholder="the latest"
          autocomplete="off"
          pattern="\d{1,16}|oldest"
          title="A number such as 42, or: oldest"
          onInput={(event) => setNumber(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Show</button>
      <a href={href('live', { prefix: prefix || undefined, since: 'oldest' })}>From the oldest</a>
      {since !== '' && <a href={href('live', { prefix: prefix || undefined })}>The latest</a>}
    </form>
  );
}

function show(prefix: string, since: string): void {
  replace('live', { prefix: prefix || undefined, since: since || undefined });
}

function Controls({ log, state }: { log: ChangeLog; state: ChangeLogState }) {
  const { isPaused, waiting, entries } = state;
  return (
    <div class="toolbar">
      <button type="button" onClick={() => log.setPaused(!isPaused)}>
        {isPaused ? `Resume (${formatCount(waiting)} waiting)` : 'Pause'}
      </button>
      <span class="muted">
        {entriesText(entries.length)} shown{entries.length === MAX_ENTRIES && ', the newest'}
      </span>
      <Rate log={log} />
    </div>
  );
}

const RATE_SECONDS = 5;

function Rate({ log }: { log: ChangeLog }) {
  const [counts, setCounts] = useState<readonly number[]>([]);
  useEffect(() => {
    setCounts([log.heard()]);
    const timer = setInterval(
      () => setCounts((before) => [...before, log.heard()].slice(-RATE_SECONDS - 1)),
      1_000,
    );
    return () => clearInterval(timer);
  }, [log]);
  const rate = perSecond(counts);
  const digits = rate < 10 ? 1 : 0;
  return (
    <span class="muted rate">
      {rate.toLocaleString(undefined, { maximumFractionDigits: digits })} per second
    </span>
  );
}

function Connection() {
  const state = liveState.value;
  if (state.kind === 'retrying') {
    return (
      <p class="notice" role="status">
        The connection was lost: {state.reason} It is tried again, and nothing is missed.
      </p>
    );
  }
  if (state.kind === 'failed') {
    return (
      <p class="notice error" role="alert">
        The feed has ended: {state.reason} Sign out and in again to follow it.
      </p>
    );
  }
  return null;
}

interface PartProps {
  readonly log: ChangeLog;
  readonly state: ChangeLogState;
  readonly prefix: string;
}

function Trouble({ log, state, prefix }: PartProps) {
  const { error } = state;
  const oldest = error instanceof KeystowClientError ? error.oldest : undefined;
  if (error instanceof KeystowClientError && oldest !== undefined) {
    const query = { prefix: prefix || undefined, since: String(oldest) };
    return (
      <div class="notice error" role="alert">
        <p>{error.message} What was before has to be looked for in the documents and objects.</p>
        <a href={href('live', query)}>Begin at {oldest}</a>
      </div>
    );
  }
  const missed = state.entries.findLast(({ type }) => type === 'missed');
  return (
    <>
      <ErrorNotice error={error} onRetry={log.readOn} />
      {missed && (
        <div class="notice" role="status">
          <p>
            Changes were missed: the server no longer keeps them, or was restored from a backup.
            What was written up to number {missed.seq} is not all here.
          </p>
          <a href={href('live', { prefix: prefix || undefined, since: 'oldest' })}>
            Read what it keeps
          </a>
        </div>
      )}
    </>
  );
}

function Nothing({ state, prefix }: { state: ChangeLogState; prefix: string }) {
  const what = prefix === '' ? 'No change' : 'No change of such a path';
  const where =
    state.from === undefined || state.from === 0
      ? 'is in the log'
      : `was found after number ${state.from}`;
  return (
    <p class="panel muted">
      {what} {where}. What is written from now on appears here.
    </p>
  );
}

/** How far it was read, and how to get further. */
function Reach({ log, state, prefix }: PartProps) {
  const { phase, from, reached, head } = state;
  if (phase === 'reading') {
    return (
      <p class="hint" role="status">
        Reading the log{reached > 0 && ` at number ${reached} of ${head}`} …
      </p>
    );
  }
  if (phase === 'full') {
    return (
      <div class="toolbar">
        <p class="hint">
          {entriesText(MAX_ENTRIES)} are as many as fit; the log goes on after number {reached}.
        </p>
        <button type="button" onClick={log.readOn}>
          Read on
        </button>
      </div>
    );
  }
  if (phase === 'failed' || from === undefined || from === 0) return null;
  const further = Math.max(0, head - 10 * (head - from));
  return (
    <p class="hint">
      Read from number {from} on.{' '}
      <a
        href={href('live', {
          prefix: prefix || undefined,
          since: further === 0 ? 'oldest' : String(further),
        })}
      >
        Look further back
      </a>
    </p>
  );
}

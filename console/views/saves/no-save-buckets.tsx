import { href } from '../../router.ts';
import { current } from '../../session.ts';

/** For the newcomer: what saves are, and how there come to be any. */
export function NoSaveBuckets() {
  if (!current().isAdmin) {
    return (
      <p class="notice">
        Your grants cover no bucket with saves. Ask an admin for a grant such as read of
        BUCKET/PREFIX/ds/1/data/.
      </p>
    );
  }
  return (
    <section class="panel" aria-labelledby="no-saves">
      <h2 id="no-saves">There is no bucket with saves yet</h2>
      <p>
        In such a bucket the versions of a save follow one another, none is ever written over, and
        an old one can be made the newest again. Make one among the{' '}
        <a href={href('objects')}>objects</a>, with “New bucket” and “For saves”, or on the command
        line:
      </p>
      <pre class="saves-command">
        <code>keystow bucket add NAME --saves --save-prefix PREFIX</code>
      </pre>
      <p class="muted">
        PREFIX is what the keys of its saves begin with; with --keep-versions 20 the newest 20 of
        each slot are kept.
      </p>
    </section>
  );
}

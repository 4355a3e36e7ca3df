import type { User } from '../../api/user.ts';
import { grantWords } from './grant-words.ts';
import { Worded } from './worded.tsx';

/** In a table the rest is one click away. */
const MOST = 3;

/** What a user may do, in words. */
export function UserGrants({ user: { role, grants } }: { user: User }) {
  if (role === 'admin') return <span>everything, as an admin</span>;
  if (grants.length === 0) return <span class="muted">nothing yet</span>;
  return (
    <ul class="plain">
      {grants.slice(0, MOST).map((grant, index) => (
        <li key={index}>
          <Worded words={grantWords(grant)} />
        </li>
      ))}
      {grants.length > MOST && <li>and {grants.length - MOST} more</li>}
    </ul>
  );
}

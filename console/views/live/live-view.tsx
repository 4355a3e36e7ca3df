import { Charts } from './charts.tsx';
import { Feed } from './feed.tsx';
import './live.css';

/** What happens now: each change as it is written, and how the server does. */
export function LiveView() {
  return (
    <div class="live-view">
      <Feed />
      <Charts />
    </div>
  );
}

import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Logger } from 'pino';
import { KeystowError } from '../../../shared/errors.ts';
import { BackupError } from '../../backup/backup-error.ts';
import { packTar } from '../../backup/tar.ts';
import type { Backups } from '../../services/backups.ts';
import { checkAdmin } from '../../services/grants.ts';
import { principalOf } from '../authenticate.ts';
import type { Handler, State } from '../context.ts';

/** A backup of the whole store, as a tar archive: `keystow backup`. */
export function backupRoutes(
  router: Router<State>,
  authenticated: Handler,
  { backups, log }: { readonly backups: Backups; readonly log: Logger },
): void {
  router.get('/api/backup', authenticated, async (ctx) => {
    checkAdmin(principalOf(ctx));
    if (ctx.state.envelope) {
      throw new KeystowError('not-acceptable', 'A backup is for HTTP: send GET /api/backup there.');
    }
    ctx.set('Content-Type', 'application/x-tar');
    ctx.status = 200;
    if (ctx.method === 'HEAD') return;
    const backup = await backups.begin();
    const { requestId } = ctx.state;
    const archive = packTar(backup.files, new Date(backup.takenAt), (error) => {
      log.error({ id: requestId, err: error }, 'a backup failed');
      return error instanceof BackupError || error instanceof KeystowError
        ? error.message
        : `The backup failed: the log of the server tells more under the request id ${requestId}.`;
    });
    ctx.set('X-Keystow-Revision', String(backup.sequence));
    const body = Readable.from(archive, { objectMode: false });
    // Also where the client goes away before it has read anything.
    body.once('close', () => void backup.close());
    ctx.body = body;
  });
}

/** Why a backup was not made, or cannot be used: one sentence for the operator. */
export class BackupError extends Error {
  override readonly name: string = 'BackupError';
}

/** A file of a backup is not what it was written as. */
export class DamagedBackup extends BackupError {
  override readonly name = 'DamagedBackup';
  /** Which file, and how. */
  readonly detail: string;

  constructor(folder: string, detail: string, options?: ErrorOptions) {
    super(`The backup ${folder} is damaged: ${detail}. Use another backup.`, options);
    this.detail = detail;
  }
}

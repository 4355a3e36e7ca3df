import { computed, signal } from '@preact/signals';
import { type Change, type Documents, KeystowClientError } from '../../../shared/client/index.ts';
import { numberOf } from '../../api/revision.ts';
import { isAbort } from '../../parts/explain.ts';

/** What a document was at one number. */
export interface Version {
  readonly etag: string;
  /** Byte for byte: nothing is parsed on its way. */
  readonly text: string;
}

export type Phase =
  | { readonly kind: 'loading' | 'missing' | 'open' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What others have done to the document while it was open here. */
export type News =
  | { readonly kind: 'renewed'; readonly etag: string }
  | { readonly kind: 'changed'; readonly theirs: Version }
  | { readonly kind: 'deleted' };

/** What keeps the draft from being saved: the person has to choose. */
export type Conflict =
  | { readonly kind: 'changed'; readonly theirs: Version; readonly isAgain: boolean }
  | { readonly kind: 'deleted' };

export type Deletion = 'done' | 'changed' | 'failed';

/** Many changes a second are read as one. */
const REST_MS = 250;
/** Of a write that somebody else came before. */
const OVERTAKEN = new Set(['precondition-failed', 'not-found', 'already-exists']);

/** One document that is shown, edited and followed: what is stored, what is written, and what others do. */
export class OpenDocument {
  readonly key: string;
  readonly phase = signal<Phase>({ kind: 'loading' });
  /** What the draft began with; the next save wants its number. */
  readonly base = signal<Version>({ etag: '', text: '' });
  readonly draft = signal('');
  readonly isEdited = computed(() => this.draft.value !== this.base.value.text);
  readonly isGone = signal(false);
  readonly isBusy = signal(false);
  readonly error = signal<unknown>(undefined);
  readonly news = signal<News | undefined>(undefined);
  readonly conflict = signal<Conflict | undefined>(undefined);

  private readonly documents: Documents<string>;
  private readonly ended = new AbortController();
  private isReading = false;
  /** The number of the last change that was heard of, and the one up to which it was looked at. */
  private heard = 0;
  private seen = 0;
  private isSuspect = false;

  constructor(documents: Documents<string>, key: string) {
    this.documents = documents;
    this.key = key;
  }

  async load(): Promise<void> {
    this.phase.value = { kind: 'loading' };
    try {
      this.take(await this.read());
      this.phase.value = { kind: 'open' };
    } catch (error) {
      if (isAbort(error)) return;
      const isMissing = error instanceof KeystowClientError && error.code === 'not-found';
      this.phase.value = isMissing ? { kind: 'missing' } : { kind: 'failed', error };
    }
    void this.catchUp();
  }

  close(): void {
    this.ended.abort();
  }

  hear({ seq }: Change): void {
    this.heard = Math.max(this.heard, seq);
    void this.catchUp();
  }

  /** Changes may have been missed. */
  suspect(): void {
    this.isSuspect = true;
    void this.catchUp();
  }

  /** True where the draft is stored now. Else there is an error, or a conflict. */
  save(): Promise<boolean> {
    return this.write(this.isGone.value ? undefined : this.base.value.etag);
  }

  /** Over what was shown of theirs, and nothing newer. */
  overwrite(): Promise<boolean> {
    const { value } = this.conflict;
    return this.write(value?.kind === 'changed' ? value.theirs.etag : undefined, true);
  }

  /** The draft stays; saving it replaces theirs. */
  editOnTop(): void {
    const { value } = this.conflict;
    if (value?.kind === 'changed') this.rest(value.theirs);
    this.conflict.value = undefined;
  }

  takeTheirs(): void {
    const { value } = this.conflict;
    if (value?.kind === 'changed') this.take(value.theirs);
    this.conflict.value = undefined;
  }

  /** What stands against the draft, as it is now. */
  async compare(): Promise<void> {
    await this.busy(() => this.meet(false));
  }

  revert(): void {
    this.draft.value = this.base.value.text;
  }

  async remove(): Promise<Deletion> {
    let deletion: Deletion = 'failed';
    await this.busy(async () => {
      try {
        await this.documents.delete(this.key, { ifMatch: this.base.value.etag });
        deletion = 'done';
      } catch (error) {
        if (!isOvertaken(error)) throw error;
        deletion = 'changed';
        this.isSuspect = true;
      }
    });
    return deletion;
  }

  private async write(ifMatch: string | undefined, isAgain = false): Promise<boolean> {
    const text = this.draft.value;
    return this.busy(async () => {
      try {
        const { etag, value } =
          ifMatch === undefined
            ? await this.documents.create(this.key, text)
            : await this.documents.replace(this.key, text, { ifMatch });
        this.rest({ etag, text: value });
        this.conflict.value = undefined;
      } catch (error) {
        if (!isOvertaken(error)) throw error;
        await this.meet(isAgain);
      }
    }).then((isDone) => isDone && this.conflict.value === undefined);
  }

  private async meet(isAgain: boolean): Promise<void> {
    const theirs = await this.readIfThere();
    if (!theirs) {
      this.isGone.value = true;
      this.conflict.value = { kind: 'deleted' };
    } else if (theirs.text === this.draft.value) {
      // Perhaps the answer to the first try was lost: what was wanted is there.
      this.rest(theirs);
      this.conflict.value = undefined;
    } else this.conflict.value = { kind: 'changed', theirs, isAgain };
  }

  /** One thing at a time; true where it went well. What was heard meanwhile is looked at afterwards. */
  private async busy(work: () => Promise<void>): Promise<boolean> {
    if (this.isBusy.value) return false;
    this.isBusy.value = true;
    this.error.value = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      if (!isAbort(error)) this.error.value = error;
      return false;
    } finally {
      this.isBusy.value = false;
      void this.catchUp();
    }
  }

  private async catchUp(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    while (this.isBehind()) {
      const upTo = this.heard;
      this.isSuspect = false;
      if (await this.look()) this.seen = Math.max(this.seen, upTo);
      else this.isSuspect = true;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    this.isReading = false;
  }

  private isBehind(): boolean {
    const isOpen = this.phase.value.kind === 'open' || this.phase.value.kind === 'missing';
    const isFree = !this.isBusy.value && !this.ended.signal.aborted;
    return isOpen && isFree && (this.isSuspect || this.heard > this.seen);
  }

  /** False where something else was begun here meanwhile, so that it has to be read again. */
  private async look(): Promise<boolean> {
    const { etag } = this.base.value;
    try {
      const theirs = await this.readIfThere();
      if (etag !== this.base.value.etag || this.isBusy.value) return false;
      if (this.phase.value.kind === 'missing') this.appear(theirs);
      else if (theirs) this.compareWith(theirs);
      else {
        this.isGone.value = true;
        this.news.value = { kind: 'deleted' };
      }
    } catch (error) {
      if (!isAbort(error)) this.error.value = error;
    }
    return true;
  }

  private compareWith(theirs: Version): void {
    if (theirs.etag === this.base.value.etag) return;
    if (theirs.text === this.draft.value) this.rest(theirs);
    else if (this.isEdited.value) {
      this.isGone.value = false;
      this.news.value = { kind: 'changed', theirs };
    } else {
      this.take(theirs);
      this.news.value = { kind: 'renewed', etag: theirs.etag };
    }
  }

  private appear(version: Version | undefined): void {
    if (!version) return;
    this.take(version);
    this.phase.value = { kind: 'open' };
  }

  private take(version: Version): void {
    const { text } = version;
    this.rest(version);
    this.draft.value = text;
  }

  /** What is stored is this; the draft stays as it is. */
  private rest(version: Version): void {
    this.base.value = version;
    this.seen = Math.max(this.seen, numberOf(version.etag));
    this.isGone.value = false;
    this.news.value = undefined;
  }

  private async readIfThere(): Promise<Version | undefined> {
    try {
      return await this.read();
    } catch (error) {
      if (error instanceof KeystowClientError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  private async read(): Promise<Version> {
    const { etag, value } = await this.documents.get(this.key, { signal: this.ended.signal });
    return { etag, text: value };
  }
}

function isOvertaken(error: unknown): boolean {
  return error instanceof KeystowClientError && OVERTAKEN.has(error.code);
}

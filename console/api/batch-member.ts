/** What a batch does with one document. */
export interface BatchMember {
  readonly key: string;
  /** The text of the document: it goes into the batch as it is. */
  readonly value: string;
  /** Creates, or replaces. */
  readonly method: 'POST' | 'PUT';
}

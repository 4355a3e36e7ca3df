/** A real S3 server of its own, and who may use it. */
export interface TestObjectStore {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

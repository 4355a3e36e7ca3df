/** The typed client of Keystow, `keystow/client`: for Node and browsers, over REST or Socket.IO. */

export type { Change } from '../changes.ts';
export type { BatchChange, BatchResult } from './batch.ts';
export { type ClientOptions, createClient, type KeystowClient } from './client.ts';
export { type BatchFailure, type ClientErrorCode, KeystowClientError } from './client-error.ts';
export { type Codec, type JsonValue, json, text } from './codec.ts';
export type {
  CallOptions,
  Documents,
  KeyPages,
  KeyRange,
  StoredDocument,
  WriteOptions,
} from './documents.ts';
export type { Credentials } from './http-transport.ts';
export type { Patch, PatchOperation } from './patch.ts';
export type {
  SaveBytes,
  SaveForm,
  SaveScope,
  SaveSlot,
  Saves,
  SaveVersion,
  SlotPages,
  StoredSave,
} from './saves.ts';
export type { ClientSocket, ConnectSocket } from './socket-transport.ts';
export {
  type SignedForm,
  type Uploaded,
  type UploadOptions,
  type UploadProgress,
  uploadForm,
} from './upload-form.ts';
export type {
  ArrivedSubmission,
  FormInput,
  StoredUpload,
  Submission,
  Uploads,
} from './uploads.ts';
export type { WatchItem, WatchOptions } from './watch.ts';

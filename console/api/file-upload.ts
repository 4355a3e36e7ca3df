import type { UploadProgress } from '../../shared/client/index.ts';

export interface FileUpload {
  readonly bucket: string;
  readonly key: string;
  readonly file: File;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: UploadProgress) => void;
}

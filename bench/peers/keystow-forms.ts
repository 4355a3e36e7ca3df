import { keystow } from './keystow.ts';
import { type UploadPeer, withForms } from './upload-peer.ts';

/** Keystow, uploaded to by signed forms. */
export const keystowForms: UploadPeer = {
  name: keystow.name,
  needs: keystow.needs,
  start: async (folder) => withForms(await keystow.start(folder, [])),
};

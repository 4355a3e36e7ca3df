import type { FunctionComponent } from 'preact';
import { DocumentsView } from './views/documents/documents-view.tsx';
import { LiveView } from './views/live/live-view.tsx';
import { ObjectsView } from './views/objects/objects-view.tsx';
import { SavesView } from './views/saves/saves-view.tsx';
import { TransferView } from './views/transfer/transfer-view.tsx';
import { UsersView } from './views/users/users-view.tsx';

export interface View {
  /** In the fragment. */
  readonly name: string;
  readonly title: string;
  readonly isForAdmins?: boolean;
  readonly Content: FunctionComponent;
}

/** In the order of the navigation; the first is where one begins. */
export const views: readonly View[] = [
  { name: 'documents', title: 'Documents', Content: DocumentsView },
  { name: 'objects', title: 'Objects', Content: ObjectsView },
  { name: 'saves', title: 'Saves', Content: SavesView },
  { name: 'users', title: 'Users', isForAdmins: true, Content: UsersView },
  { name: 'live', title: 'Live', Content: LiveView },
  { name: 'transfer', title: 'Import and export', Content: TransferView },
];

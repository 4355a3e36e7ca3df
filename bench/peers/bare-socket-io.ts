import { barePeer } from './bare.ts';

/** A Socket.IO server that echoes each envelope as Keystow answers: on the event, and to an acknowledgement too. It stores nothing. */
export const bareSocketIo = barePeer('bare Socket.IO', 'socket-io');

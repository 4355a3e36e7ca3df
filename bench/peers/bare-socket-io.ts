import { barePeer } from './bare.ts';

/** A Socket.IO server that echoes each envelope through its acknowledgement. It stores nothing. */
export const bareSocketIo = barePeer('bare Socket.IO', 'socket-io', ['once']);

/** The same, but it answers on the event too, as Keystow must: two packets for each envelope. */
export const bareSocketIoTwice = barePeer('bare Socket.IO, event and ack', 'socket-io', ['twice']);

import { Encoder, type Packet, PacketType } from 'socket.io-parser';

/** JSON text that goes into a packet as it is. */
export class ReadyJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Socket.IO would look through each answer for binary and make JSON of it, twice where it is acknowledged.
 * https://github.com/socketio/socket.io-protocol#packet-encoding
 */
export class AnswerEncoder extends Encoder {
  override encode(packet: Packet): (string | Buffer)[] {
    const { type, id, data } = packet;
    const last: unknown = Array.isArray(data) ? data.at(-1) : undefined;
    if (!(last instanceof ReadyJson)) return super.encode(packet);
    if (type === PacketType.ACK) return [`${type}${id}[${last.text}]`];
    return [`${type}[${JSON.stringify(data[0])},${last.text}]`];
  }
}

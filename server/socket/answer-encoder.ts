import { Encoder, type Packet, PacketType } from 'socket.io-parser';

/** JSON text that goes into a packet as it is. */
export class ReadyJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Socket.IO would look through each answer for binary and make JSON of it, twice where it is acknowledged, and of
 * each change for every watch.
 * https://github.com/socketio/socket.io-protocol#packet-encoding
 */
export class AnswerEncoder extends Encoder {
  override encode(packet: Packet): (string | Buffer)[] {
    const { type, id, data } = packet;
    if (!Array.isArray(data) || !data.some((part) => part instanceof ReadyJson)) {
      return super.encode(packet);
    }
    const texts = data.map((part) =>
      part instanceof ReadyJson ? part.text : JSON.stringify(part),
    );
    return [`${type}${type === PacketType.ACK ? id : ''}[${texts.join(',')}]`];
  }
}

import { createServer } from 'node:http';
import { Server } from 'socket.io';
import type {
  ClientToServerEvents,
  EnvelopeAnswer,
  ServerToClientEvents,
} from '../../shared/envelope.ts';
import { document } from './routes.ts';

// As the contract has it: an event, and the acknowledgement where there is one.
const [port] = process.argv.slice(2);
const server = createServer((_request, response) => response.end('ready'));
const io = new Server<ClientToServerEvents, ServerToClientEvents>(server);
const stored: unknown = JSON.parse(document);

io.on('connection', (socket) => {
  socket.on('http message', ({ method, url, id, data }, ack) => {
    const answer: EnvelopeAnswer = {
      method,
      url,
      id,
      status: 200,
      statusText: 'OK',
      data: data ?? stored,
    };
    socket.emit('http message', answer);
    ack?.(answer);
  });
});
server.listen(Number(port), '127.0.0.1');

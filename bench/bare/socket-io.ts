import { createServer } from 'node:http';
import { Server } from 'socket.io';
import type {
  ClientToServerEvents,
  EnvelopeAnswer,
  ServerToClientEvents,
} from '../../shared/envelope.ts';
import { document } from './routes.ts';

// With `twice` the answer goes out as an event too, which the contract asks of Keystow.
const [port, answering] = process.argv.slice(2);
const server = createServer((_request, response) => response.end('ready'));
const io = new Server<ClientToServerEvents, ServerToClientEvents>(server);
const stored: unknown = JSON.parse(document);

io.on('connection', (socket) => {
  socket.on('http message', ({ method, url, data }, ack) => {
    const answer: EnvelopeAnswer = {
      method,
      url,
      status: 200,
      statusText: 'OK',
      data: data ?? stored,
    };
    if (answering === 'twice') socket.emit('http message', answer);
    ack?.(answer);
  });
});
server.listen(Number(port), '127.0.0.1');

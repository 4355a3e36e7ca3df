import { createServer } from 'node:http';
import { readBody } from './read-body.ts';
import { document, LIST_PATH, list } from './routes.ts';

// The least that a Node.js HTTP server can do: it echoes a body, or sends a constant.
const server = createServer(async (request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.method === 'POST') response.end(await readBody(request));
  else response.end(request.url === LIST_PATH ? list : document);
});
server.listen(Number(process.argv[2]), '127.0.0.1');

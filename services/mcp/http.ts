// MCP over Streamable HTTP, for programs of this machine only: it asks for no login, and gives its callers the rights of
// the user who started it.
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { type McpServer, createMcpHandler } from '@modelcontextprotocol/server';

export interface HttpEndpoint {
  /** Example: "http://127.0.0.1:3000/mcp". */
  readonly url: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const PATH = '/mcp';
/** For a request to be whole, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
const MAX_BODY_BYTES = 16_777_216;

/** `port`: 0: the system chooses. `make`: a server for one request. Rejects where the port is taken. */
export async function serveHttp(make: () => McpServer, port: number): Promise<HttpEndpoint> {
  const handler = createMcpHandler(make);
  const handle = toNodeHandler(handler);
  const validateHost = localhostHostValidation();
  const validateOrigin = localhostOriginValidation();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // A page in the browser must not reach it by a name that leads here (DNS rebinding).
    if (!validateHost(request, response) || !validateOrigin(request, response)) return;
    const refusal = refusalOf(request);
    if (refusal === undefined) void handle(request, response);
    else response.writeHead(refusal, { connection: 'close' }).end();
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port);
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${HOST}:${bound}${PATH}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Its HTTP status; undefined: the request is taken. */
function refusalOf({ url, method, headers }: IncomingMessage): number | undefined {
  if (url?.split('?', 1)[0] !== PATH) return 404;
  if (method !== 'POST') return undefined;
  const length = headers['content-length'];
  if (length === undefined) return 411; // the SDK reads a body of any length
  return Number(length) > MAX_BODY_BYTES ? 413 : undefined;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
}

// MCP over Streamable HTTP, for programs on this machine only: it needs no login, and callers have the rights of the
// user who started it.
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
/** Time in which a request must be complete, milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
const MAX_BODY_BYTES = 16_777_216;

/** `port` 0: the system chooses. `make`: creates a server for one request. Rejects if the port is in use. */
export async function serveHttp(make: () => McpServer, port: number): Promise<HttpEndpoint> {
  const handler = createMcpHandler(make);
  const handle = toNodeHandler(handler);
  const validateHost = localhostHostValidation();
  const validateOrigin = localhostOriginValidation();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // Browser pages must not reach it by a name that resolves to this machine (DNS rebinding).
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

/** The HTTP status of a refusal; undefined: accepted. */
function refusalOf({ url, method, headers }: IncomingMessage): number | undefined {
  if (url?.split('?', 1)[0] !== PATH) return 404;
  if (method !== 'POST') return undefined;
  const length = headers['content-length'];
  if (length === undefined) return 411; // the SDK itself accepts a body of any length
  return Number(length) > MAX_BODY_BYTES ? 413 : undefined;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
}

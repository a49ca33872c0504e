import { once } from 'node:events';
import type { McpServer } from '@modelcontextprotocol/server';
import { Command } from 'commander';
import { packageVersion } from '../core/package-version.ts';
import { adminOptions } from './admin-options.ts';
import { wholeNumber } from './arguments.ts';
import type { GlobalOptions } from './client.ts';
import { credentialsOf, interceptorsOf } from './credentials.ts';

const MAX_PORT = 65_535;

interface Options {
  readonly httpPort?: number;
}

export function mcpCommand(): Command {
  return new Command('mcp')
    .option(
      '--http-port <n>',
      'serve Streamable HTTP on this port of 127.0.0.1 instead of standard input and output; 0: any',
      wholeNumber(0, MAX_PORT),
    )
    .addHelpText(
      'after',
      `
All tools only read. Standard output is for the protocol; messages for people go to standard error.

Examples: npx tandem mcp
          npx tandem mcp --http-port 3000
In an agent's settings: {"command": "npx", "args": ["tandem", "mcp"], "cwd": "this folder"}`,
    )
    .action(async ({ httpPort }: Options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      // The SDK takes a quarter of a second to load: only here.
      const [{ RouterConnection }, { tandemMcpServer }] = await Promise.all([
        import('../mcp/router-connection.ts'),
        import('../mcp/server.ts'),
      ]);
      const connect = (to: GlobalOptions): InstanceType<typeof RouterConnection> =>
        new RouterConnection({
          ...{ address: to.address, timeoutMs: to.timeoutMs, credentials: credentialsOf(to) },
          channel: { 'grpc.max_receive_message_length': -1, interceptors: interceptorsOf(to) },
        });
      const parts = { router: connect(options), admin: connect(adminOptions(options)), version: packageVersion() };
      const make: Make = () => tandemMcpServer(parts);
      if (httpPort === undefined) await overStdio(make);
      else await overHttp(make, httpPort, options.address);
      parts.router.close();
      parts.admin.close();
    });
}

type Make = () => McpServer;

/** Resolves when the client closes our input or the user ends it. */
async function overStdio(make: Make): Promise<void> {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  const handle = serveStdio(make);
  await Promise.race([once(process.stdin, 'end'), interrupted()]);
  await handle.close();
}

/** Resolves when the user ends it. */
async function overHttp(make: Make, port: number, address: string): Promise<void> {
  const { serveHttp } = await import('../mcp/http.ts');
  const endpoint = await serveHttp(make, port);
  process.stderr.write(`MCP for the router at ${address}: ${endpoint.url}\n`);
  await interrupted();
  await endpoint.close();
}

function interrupted(): Promise<unknown> {
  return Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

// The servers that the judges of this folder test, each a separate process.
import { startRouter } from '../support/router-process.ts';
import { run } from '../support/process.ts';

/** The router on either of its edges, or services/http2 alone with a server that answers anything. */
export const EDGES = ['native', 'grpc-js', 'http2'] as const;
export type EdgeName = (typeof EDGES)[number];

export interface Edge {
  readonly name: EdgeName;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** SIGTERM, and SIGKILL if that does not end it. Resolves when it is gone. */
  stop(): Promise<void>;
}

/** How long a server may take to stop, milliseconds. */
const STOP_MS = 10_000;

/** `settings`: of the router, in addition to those that every judge needs. */
export async function startEdge(name: EdgeName, settings: Record<string, unknown> = {}): Promise<Edge> {
  if (name === 'http2') return startBareServer();
  const router = await startRouter({ edge: name, ...settings });
  const stop = async (): Promise<void> => {
    const timer = setTimeout(() => router.kill(), STOP_MS);
    await router.stop();
    clearTimeout(timer);
  };
  return { name, ...hostAndPort(router.address), pid: router.pid, stop };
}

async function startBareServer(): Promise<Edge> {
  const { child, finished, line } = run('test/edge/bare-server.ts', []);
  const address = (await line(/^listens on /)).replace('listens on ', '');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await finished;
  };
  return { name: 'http2', ...hostAndPort(address), pid: child.pid!, stop };
}

function hostAndPort(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}

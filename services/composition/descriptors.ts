// File descriptors are shared out at start: every connection takes one, and a process without any left can neither take a
// probe, nor reach an engine, nor write a file. So clients' connections are capped below the limit of the process
// (`ulimit -n`), and a reserve is kept for all else.
import { close, open } from 'node:fs';
import { devNull } from 'node:os';
import { MAX_CONNECTIONS as MAX_HTTP } from '../dashboard/http-server.ts';
import { ConnectionLimit } from '../core/connection-limit.ts';

interface DescriptorShares {
  /** Connections of gRPC clients. */
  readonly grpc: number;
  /** Connections to the dashboard, probes' among them. */
  readonly http: number;
}

interface Needs {
  /** Threads of the local engine. */
  readonly workers: number;
  /** Sidecars that the router starts. */
  readonly spawned: number;
}

/** Node.js itself, the log, listening sockets, files that are written now and then. */
const OWN = 64;
/** An event loop each. */
const PER_WORKER = 8;
/** Two pipes, and what a start takes for a moment. */
const PER_SPAWNED = 4;
/** Connections to engines and from them, DNS, collectors: the most the router knows are 256 engines. */
const ENGINES = 512;
/** Of a small limit, the engines' part. */
const ENGINES_SHARE = 0.25;
/** Of what is left, at most. */
const HTTP_SHARE = 0.25;
const LEAST_GRPC = 16;
const LEAST_HTTP = 8;
/** Memory limits connections, too, where file descriptors do not. */
const MOST_GRPC = 65_536;
const LOOK_MS = 1_000;

/** `limit`: of the process; undefined where it is not known. */
export function shareDescriptors(limit: number = Infinity, { workers, spawned }: Needs): DescriptorShares {
  const reserved = OWN + PER_WORKER * workers + PER_SPAWNED * spawned + Math.min(ENGINES, limit * ENGINES_SHARE);
  const left = Math.floor(limit - reserved);
  const http = Math.max(LEAST_HTTP, Math.min(MAX_HTTP, Math.floor(left * HTTP_SHARE)));
  return { http, grpc: Math.max(LEAST_GRPC, Math.min(MOST_GRPC, left - http)) };
}

/** What this process may open. Node.js has raised it to the hard limit. Undefined: the system does not say. */
export function descriptorLimit(): number | undefined {
  Object.assign(process.report, { excludeNetwork: true }); // else it looks up the names of all that are connected
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

/** Threads, model files and engines of a start alone take so many: with fewer each fails in a way of its own. */
const LEAST_DESCRIPTORS = 64;

/** Throws where the process may open too few to start. */
export function checkDescriptors(limit = descriptorLimit()): void {
  if (limit === undefined || limit >= LEAST_DESCRIPTORS) return;
  const advice = 'raise it (systemd: LimitNOFILE, Docker: --ulimit nofile=…) and start again';
  throw new Error(
    `${limit} file descriptors (ulimit -n) are too few: the router needs ${LEAST_DESCRIPTORS}; ${advice}`,
  );
}

/** For the operator: a line of the log, and an event. */
export type Tell = (
  severity: 'INFO' | 'WARNING',
  text: string,
  data: Readonly<Record<string, number | string>>,
) => void;

/** The caps of both servers. It is told once when one of them is reached, and once when there is room again. */
export function connectionLimits(needs: Needs, tell: Tell): { grpc: ConnectionLimit; http: ConnectionLimit } {
  const limit = descriptorLimit();
  const shares = shareDescriptors(limit, needs);
  if (shares.grpc === LEAST_GRPC) {
    const few = 'few file descriptors: raise ulimit -n, since each connection takes one';
    tell('WARNING', few, { connections: shares.grpc, descriptors: limit ?? 0 });
  }
  const capped = (server: 'grpc' | 'http'): ConnectionLimit => {
    const about = { server, connections: shares[server], descriptors: limit ?? 0 };
    return new ConnectionLimit(shares[server], (isFull) => {
      if (isFull) {
        const what = 'as many connections as there may be: idle ones are closed, or new ones refused; raise ulimit -n';
        tell('WARNING', what, about);
      } else tell('INFO', 'there is room for connections again', about);
    });
  };
  return { grpc: capped('grpc'), http: capped('http') };
}

type OpenFile = (done: (error: NodeJS.ErrnoException | null) => void) => void;

/** Opens a file now and then, to tell once when that fails, and once when it works again. Returns what ends that. */
export function watchDescriptors(tell: Tell, openFile: OpenFile = openNothing, every = everySecond): () => void {
  let isOut = false;
  return every(() =>
    openFile((error) => {
      const isOutNow = error?.code === 'EMFILE' || error?.code === 'ENFILE';
      if (isOutNow === isOut) return;
      isOut = isOutNow;
      if (isOut) {
        const what = 'no file descriptor is left: no connection, file or engine can be opened; raise ulimit -n';
        tell('WARNING', what, { why: error!.message });
      } else tell('INFO', 'there are file descriptors again', {});
    }),
  );
}

function openNothing(done: Parameters<OpenFile>[0]): void {
  open(devNull, (error, descriptor) => (error ? done(error) : close(descriptor, () => done(null))));
}

function everySecond(look: () => void): () => void {
  const timer = setInterval(look, LOOK_MS).unref();
  return () => clearInterval(timer);
}

// Distributes file descriptors at start. Each connection needs one, and a process without free descriptors cannot
// accept a probe, reach an engine or write a file. So client connections are limited below the limit of the process
// (`ulimit -n`), and a reserve is kept for everything else.
import { close, open } from 'node:fs';
import { devNull } from 'node:os';
import { MAX_CONNECTIONS as MAX_HTTP } from '../dashboard/http-server.ts';
import { ConnectionLimit } from '../core/connection-limit.ts';

interface DescriptorShares {
  /** Connections of gRPC clients. */
  readonly grpc: number;
  /** Connections to the dashboard, including probes. */
  readonly http: number;
}

interface Needs {
  /** Threads of the local engine. */
  readonly workers: number;
  /** Sidecars that the router starts. */
  readonly spawned: number;
}

/** Node.js itself, the log, listening sockets, files that are written occasionally. */
const OWN = 64;
/** For the event loop of each. */
const PER_WORKER = 8;
/** Two pipes, and a few more during the start. */
const PER_SPAWNED = 4;
/** Connections to and from engines, DNS, collectors. The router has at most 256 engines. */
const ENGINES = 512;
/** The engines' share if the limit is small. */
const ENGINES_SHARE = 0.25;
/** Maximum share of the rest. */
const HTTP_SHARE = 0.25;
const LEAST_GRPC = 16;
const LEAST_HTTP = 8;
/** Memory limits connections if file descriptors do not. */
const MOST_GRPC = 65_536;
const LOOK_MS = 1_000;

/** `limit`: of the process; undefined if unknown. */
export function shareDescriptors(limit: number = Infinity, { workers, spawned }: Needs): DescriptorShares {
  const reserved = OWN + PER_WORKER * workers + PER_SPAWNED * spawned + Math.min(ENGINES, limit * ENGINES_SHARE);
  const left = Math.floor(limit - reserved);
  const http = Math.max(LEAST_HTTP, Math.min(MAX_HTTP, Math.floor(left * HTTP_SHARE)));
  return { http, grpc: Math.max(LEAST_GRPC, Math.min(MOST_GRPC, left - http)) };
}

/**
 * The descriptor limit of this process. Node.js has raised it to the hard limit. Undefined: the system does not say.
 */
export function descriptorLimit(): number | undefined {
  Object.assign(process.report, { excludeNetwork: true }); // else it resolves the names of all connected peers
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

/** The start alone needs this many for threads, model files and engines. With fewer, each part fails in its own way. */
const LEAST_DESCRIPTORS = 64;

/** Throws if the limit is too low to start. */
export function checkDescriptors(limit = descriptorLimit()): void {
  if (limit === undefined || limit >= LEAST_DESCRIPTORS) return;
  const advice = 'raise it (systemd: LimitNOFILE, Docker: --ulimit nofile=…) and start again';
  throw new Error(
    `${limit} file descriptors (ulimit -n) are too few: the router needs ${LEAST_DESCRIPTORS}; ${advice}`,
  );
}

/** Tells the operator by a log line and an event. */
export type Tell = (
  severity: 'INFO' | 'WARNING',
  text: string,
  data: Readonly<Record<string, number | string>>,
) => void;

/** The connection limits of both servers. Reports once when one is reached, and once when there is room again. */
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
        const what =
          'the connection limit is reached: idle connections are closed, or new ones refused; raise ulimit -n';
        tell('WARNING', what, about);
      } else tell('INFO', 'there is room for connections again', about);
    });
  };
  return { grpc: capped('grpc'), http: capped('http') };
}

type OpenFile = (done: (error: NodeJS.ErrnoException | null) => void) => void;

/**
 * Opens a file at intervals, and reports once when that fails and once when it works again. Returns a function that
 * stops it.
 */
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
      } else tell('INFO', 'file descriptors are free again', {});
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

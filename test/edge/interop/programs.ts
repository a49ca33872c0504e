// gRPC's own interoperability clients and servers: Go's and Java's.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../support/free-ports.ts';
import { grpcGo, grpcJava } from '../tools.ts';

export interface InteropPrograms {
  readonly language: string;
  readonly cases: readonly string[];
  /** Runs one case against a server. Resolves with "" if it passes, else with the reason. */
  client(testCase: string, port: number): Promise<string>;
  server(): Promise<InteropServer>;
}

interface InteropServer {
  readonly port: number;
  stop(): Promise<void>;
}

const CASES = [
  ...['empty_unary', 'large_unary', 'client_streaming', 'server_streaming', 'ping_pong', 'empty_stream'],
  ...['timeout_on_sleeping_server', 'cancel_after_begin', 'cancel_after_first_response', 'status_code_and_message'],
  ...['special_status_message', 'unimplemented_method', 'unimplemented_service', 'custom_metadata', 'pick_first_unary'],
];
const SOAK = ['rpc_soak', 'channel_soak'];
const COMPRESSION = ['client_compressed_unary', 'server_compressed_unary', 'client_compressed_streaming'];
const COMPRESSED_ANSWERS = 'server_compressed_streaming';
/** A slow machine must not cause a failure. */
const SOAK_SECONDS = 50;
const SOAK_CALL_MS = 10_000;
const CASE_MS = 60_000;
const START_MS = 30_000;

export async function interopPrograms(): Promise<InteropPrograms[]> {
  const go = await grpcGo();
  const java = await grpcJava();
  const inJava = (name: string): string[] => ['-cp', java, `io.grpc.testing.integration.${name}`];
  return [
    {
      language: 'Go',
      cases: [...CASES, ...SOAK],
      client: (testCase, port) => runClient(go.client, flags(testCase, port)),
      server: () => startServer((port) => [go.server, '-port', String(port)]),
    },
    {
      language: 'Java',
      cases: [...CASES, ...COMPRESSION, COMPRESSED_ANSWERS, 'very_large_request', ...SOAK],
      client: (testCase, port) =>
        runClient('java', [...inJava('TestServiceClient'), ...flags(testCase, port), '--use_tls=false']),
      server: () =>
        startServer((port) => ['java', ...inJava('TestServiceServer'), `--port=${port}`, '--use_tls=false']),
    },
  ];
}

const flags = (testCase: string, port: number): string[] => [
  ...['--server_host=127.0.0.1', `--server_port=${port}`, `--test_case=${testCase}`],
  `--soak_overall_timeout_seconds=${SOAK_SECONDS}`,
  `--soak_per_iteration_max_acceptable_latency_ms=${SOAK_CALL_MS}`,
];

async function runClient(program: string, args: readonly string[]): Promise<string> {
  try {
    await promisify(execFile)(program, args, { timeout: CASE_MS, maxBuffer: 1 << 24 });
    return '';
  } catch (error) {
    const { stderr = '', stdout = '', killed } = error as { stderr?: string; stdout?: string; killed?: boolean };
    if (killed === true) return `no end within ${CASE_MS} ms`;
    return `${stderr}\n${stdout}`.trim().split('\n').slice(-4).join(' ').slice(0, 400) || 'it failed without an output';
  }
}

async function startServer(command: (port: number) => readonly string[]): Promise<InteropServer> {
  const [port] = (await freePorts(1)) as [number];
  const [program, ...args] = command(port) as [string, ...string[]];
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const endMs = performance.now() + START_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) break;
    if (performance.now() > endMs) throw new Error(`${program} does not listen after ${START_MS} ms`);
    await delay(50);
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { port, stop };
}

// gRPC's interoperability tests, both ways: their clients against our server, and our client against their servers.
import { GrpcClient } from '../../../services/grpc/client.ts';
import { listen } from '../../../services/grpc/listen.ts';
import { GrpcServer } from '../../../services/grpc/server.ts';
import { OWN_CASES } from './own-client.ts';
import { type InteropPrograms, interopPrograms } from './programs.ts';
import { TEST_SERVICE } from './service.ts';

interface InteropResult {
  readonly client: string;
  readonly server: string;
  readonly testCase: string;
  /** Empty: it passed. */
  readonly problem: string;
}

/** Cases that a server does not support. */
const NOT_SERVED: Readonly<Record<string, readonly string[]>> = {
  Go: ['client_compressed_unary', 'client_compressed_streaming', 'server_compressed_unary'],
};
const CASE_MS = 20_000;
/** Case very_large_request sends 10 MiB. */
const ARRIVALS = { maxMessageBytes: 64 << 20, maxOpenBytes: 256 << 20, messageTimeoutMs: 30_000 };
const OURS = 'ours';

export async function judgeInterop(progress: (text: string) => void): Promise<InteropResult[]> {
  const programs = await interopPrograms();
  const results: InteropResult[] = [];
  for (const each of programs) results.push(...(await theirClient(each, progress)));
  for (const each of programs) results.push(...(await ourClient(each, progress)));
  return results;
}

async function theirClient(
  { language, cases, client }: InteropPrograms,
  progress: (text: string) => void,
): Promise<InteropResult[]> {
  const server = new GrpcServer({ methods: TEST_SERVICE, arrivals: ARRIVALS });
  const listener = await listen('127.0.0.1:0', server.accept);
  const results: InteropResult[] = [];
  try {
    for (const testCase of cases) {
      progress(`interop: ${language}’s client against ours, ${testCase}`);
      results.push({ client: language, server: OURS, testCase, problem: await client(testCase, listener.port) });
    }
  } finally {
    listener.close();
    server.close();
  }
  return results;
}

async function ourClient(
  { language, server: start }: InteropPrograms,
  progress: (text: string) => void,
): Promise<InteropResult[]> {
  const server = await start();
  const results: InteropResult[] = [];
  try {
    for (const [testCase, run] of Object.entries(OWN_CASES)) {
      if (NOT_SERVED[language]?.includes(testCase)) continue;
      progress(`interop: our client against ${language}’s, ${testCase}`);
      results.push({ client: OURS, server: language, testCase, problem: await problemOf(run, server.port) });
    }
  } finally {
    await server.stop();
  }
  return results;
}

/** On a separate connection. */
async function problemOf(run: (client: GrpcClient) => Promise<void>, port: number): Promise<string> {
  const client = await GrpcClient.connect(`127.0.0.1:${port}`);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CASE_MS} ms`)), CASE_MS);
  });
  try {
    await Promise.race([run(client), late]);
    return '';
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 4).join(' ');
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

// Another client of the same server, as a separate process: `victim.ts HOST PORT SECONDS`. It pings at a steady rate,
// and prints its latencies from the planned start of each call, milliseconds, as JSON.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { grpcMessage } from '../wire.ts';

export interface VictimReport {
  readonly latenciesMs: readonly number[];
  readonly failed: number;
}

const INTERVAL_MS = 4;

const [host, port, seconds] = process.argv.slice(2);
const HEADERS = {
  ':method': 'POST',
  ':path': '/tandem.v1.ReasoningService/Ping',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const EMPTY = grpcMessage(Buffer.alloc(0));

const session = connect(`http://${host}:${port}`);
const latenciesMs: number[] = [];
let failed = 0;
let unanswered = 0;

await call(performance.now()); // the connection and the compilers
latenciesMs.length = 0;
const total = Math.round((Number(seconds) * 1_000) / INTERVAL_MS);
const beganMs = performance.now();
let sent = 0;
const timer = setInterval(() => {
  for (; sent < total && beganMs + sent * INTERVAL_MS <= performance.now(); sent += 1) {
    void call(beganMs + sent * INTERVAL_MS);
  }
  if (sent === total && unanswered === 0) finish();
}, 1);

async function call(dueMs: number): Promise<void> {
  unanswered += 1;
  const stream = session.request(HEADERS);
  let chunks = 0;
  stream.on('data', () => (chunks += 1));
  stream.on('error', () => undefined);
  stream.end(EMPTY);
  await once(stream, 'close');
  unanswered -= 1;
  if (chunks > 0) latenciesMs.push(performance.now() - dueMs);
  else failed += 1;
}

function finish(): void {
  clearInterval(timer);
  session.destroy();
  process.stdout.write(`${JSON.stringify({ latenciesMs, failed } satisfies VictimReport)}\n`);
}

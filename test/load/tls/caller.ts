// Keeps a number of calls open for some seconds, with TLS or without. A separate process; it prints its measurements as
// JSON.
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { parseArguments } from '../../support/arguments.ts';
import { GrpcClient } from '../../../services/grpc/client.ts';
import { REASON, goodRequests } from '../flood/requests.ts';

const { values } = parseArguments({
  options: {
    address: { type: 'string', default: '' },
    // PEM files. Without a CA: no TLS. They are read at each connection.
    ca: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    // A new connection after this number of calls; 0: one for all.
    'calls-each': { type: 'string', default: '0' },
  },
});

export interface Measured {
  readonly calls: number;
  readonly failed: number;
  /** The reason of the first failure. */
  readonly why: string;
  readonly connections: number;
  readonly calls_per_s: number;
  readonly p50_us: number;
}

const requests = goodRequests();
const inFlight = Number(values['in-flight']);
const callsEach = Number(values['calls-each']) || Infinity;
const timesUs: number[] = [];
let [failed, connections, why] = [0, 0, ''];
const beganMs = performance.now();
const endMs = beganMs + Number(values.seconds) * 1_000;

function tls(): ConnectionOptions | undefined {
  const { ca, cert, key } = values;
  if (ca === undefined) return undefined;
  const own = cert !== undefined && key !== undefined && { cert: readFileSync(cert), key: readFileSync(key) };
  const options = { ca: readFileSync(ca), servername: 'localhost', minVersion: 'TLSv1.3', ...own } as const;
  createSecureContext(options);
  return options;
}

function fail(error: Error): void {
  failed += 1;
  why ||= error.message;
}

/** A renewal may be incomplete, so the files are read until they match. */
async function wholeTls(): Promise<ConnectionOptions | undefined> {
  for (;;) {
    try {
      return tls();
    } catch (error) {
      if (performance.now() >= endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function callOverOneConnection(): Promise<void> {
  const client = await GrpcClient.connect(values.address, { tls: await wholeTls() });
  connections += 1;
  let left = callsEach;
  const keepCalling = async (): Promise<void> => {
    while (left > 0 && performance.now() < endMs) {
      left -= 1;
      const sentMs = performance.now();
      await client.unary(REASON, requests[timesUs.length % requests.length]!, { timeoutMs: 10_000 }).catch(fail);
      timesUs.push((performance.now() - sentMs) * 1_000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, keepCalling));
  client.close();
}

while (performance.now() < endMs) await callOverOneConnection().catch(fail);
timesUs.sort((a, b) => a - b);
const measured: Measured = {
  ...{ calls: timesUs.length, failed, why, connections },
  calls_per_s: timesUs.length / ((performance.now() - beganMs) / 1_000),
  p50_us: timesUs[timesUs.length >> 1] ?? NaN,
};
process.stdout.write(`${JSON.stringify(measured)}\n`);

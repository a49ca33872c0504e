// Sends batches of empty items at once, and prints the number of calls by status. A separate process with one message
// for all calls: a client library would copy it for each.
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { parseArguments } from '../support/arguments.ts';
import { ReasoningServiceService } from '../../services/generated/tandem/v1/reasoning.ts';

const CONNECTIONS = 10;
/** Node limits unsent bytes, and above the limit it resets new streams. */
const MEMORY_MB = 1_000;
/** The router's limit, minus gRPC's prefix of a message. */
const MESSAGE_BYTES = 4_194_304;
/** Field 1 of ReasonBatchRequest, of length 0. */
const EMPTY_ITEM = Buffer.from([0x0a, 0x00]);

const { values } = parseArguments({ options: { address: { type: 'string' }, count: { type: 'string' } } });

const framed = Buffer.alloc(5 + MESSAGE_BYTES);
framed.writeUInt32BE(MESSAGE_BYTES, 1);
framed.fill(EMPTY_ITEM, 5);

function send(session: ClientHttp2Session): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': ReasoningServiceService.reasonBatch.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    // Node's client does not close a stream that was refused before it was completely written.
    const read = (headers: IncomingHttpHeaders): void => {
      const code = headers['grpc-status'];
      if (code === undefined) return;
      resolve(status[Number(code)] ?? code.toString());
      stream.destroy();
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve('no status'));
    stream.resume();
    stream.end(framed);
  });
}

/** Resolves when it knows the router's limit of concurrent calls: more would be reset before they become calls. */
async function open(): Promise<ClientHttp2Session> {
  const session = connect(`http://${values.address}`, { maxSessionMemory: MEMORY_MB }).on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

const sessions = await Promise.all(Array.from({ length: CONNECTIONS }, open));
const sent = Array.from({ length: Number(values.count) }, (_, at) => send(sessions[at % CONNECTIONS]!));
const counts: Record<string, number> = {};
for (const name of await Promise.all(sent)) counts[name] = (counts[name] ?? 0) + 1;
process.stdout.write(`${JSON.stringify(counts)}\n`);
for (const session of sessions) session.destroy();
